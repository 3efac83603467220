using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace SyncEngine.Cli.Cognito;

/// <summary>
/// Reads what the old sync clients keep on a device, an SQLite file: <c>aws_cognito_sync.db</c> of .NET, Xamarin and Unity,
/// <c>cognito_dataset_cache.db</c> of Android, <c>CognitoData.sqlite3</c> of iOS. The file is opened for reading alone.
/// </summary>
internal static class OldClientFile
{
    private const int ErrorNotADatabase = 26;
    private const int IosDeleted = 2;

    /// <summary>.NET wrote ticks since the year 1, all others milliseconds since 1970; no time is both.</summary>
    private const long TicksMin = 100_000_000_000_000_000;

    /// <summary>When the service began: nothing is older, whatever a device's clock said.</summary>
    private static readonly DateTimeOffset _first = new(2014, 7, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly string[] _unknown = ["unknown", "UnknownId"];

    /// <summary>Reads all records, and the datasets that were deleted on the device and not yet at the service.</summary>
    /// <exception cref="CommandFailure">There is no such file, or it is none of an old client.</exception>
    public static (IReadOnlyList<OldRecord> Records, IReadOnlyList<(string? Identity, string Dataset)> Deleted) Read(
        string path, DateTimeOffset now)
    {
        if (!File.Exists(path)) throw CommandFailure.BadInput($"There is no file {path}: check the name.");
        try
        {
            // Without a pool, the file is closed when this is done.
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false,
            }.ToString());
            connection.Open();
            HashSet<string> tables = [.. Rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table'",
                static row => row.GetString(0))];
            if (tables.Contains("CognitoData")) return ReadIos(connection, now);
            if (tables.Contains("records") && tables.Contains("datasets")) return ReadOthers(connection, now);
            throw CommandFailure.BadInput($"{path} is no file of a sync client: it has neither the tables records and "
                + "datasets nor CognitoData. Choose aws_cognito_sync.db, cognito_dataset_cache.db or CognitoData.sqlite3.");
        }
        catch (SqliteException e)
        {
            throw e.SqliteErrorCode == ErrorNotADatabase
                ? CommandFailure.BadInput($"{path} is no SQLite file: choose aws_cognito_sync.db, cognito_dataset_cache.db or "
                    + "CognitoData.sqlite3.")
                : new CommandFailure(ExitCode.OperationFailed, $"{path} cannot be read: {e.Message}");
        }
    }

    private static (IReadOnlyList<OldRecord>, IReadOnlyList<(string?, string)>) ReadOthers(
        SqliteConnection connection, DateTimeOffset now) => (
        Rows(connection, "SELECT identity_id, dataset_name, key, value, device_last_modified_timestamp, "
            + "last_modified_timestamp, modified FROM records", row => new OldRecord(
            IdentityOf(row.GetString(0)), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3),
            TimeOf(row.IsDBNull(4) ? 0 : NumberOf(row.GetString(4)), row.IsDBNull(5) ? 0 : NumberOf(row.GetString(5)), now),
            row.GetInt64(6) != 0)),
        Rows(connection, "SELECT identity_id, dataset_name FROM datasets WHERE last_sync_count = -1",
            static row => (IdentityOf(row.GetString(0)), row.GetString(1))));

    private static (IReadOnlyList<OldRecord>, IReadOnlyList<(string?, string)>) ReadIos(
        SqliteConnection connection, DateTimeOffset now) => (
        Rows(connection, "SELECT IdentityId, Dataset, Key, Data, Type, LastModified, Dirty FROM CognitoData",
            row => new OldRecord(
                IdentityOf(row.GetString(0)), row.GetString(1), row.GetString(2),
                row.GetInt64(4) == IosDeleted ? null : IosValue(row.GetString(3)), TimeOf(row.GetInt64(5), 0, now),
                row.GetInt64(6) != 0)),
        Rows(connection, "SELECT IdentityId, Dataset FROM CognitoMetadata WHERE LastSyncCount = -1",
            static row => (IdentityOf(row.GetString(0)), row.GetString(1))));

    private static List<T> Rows<T>(SqliteConnection connection, string query, Func<SqliteDataReader, T> read)
    {
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The queries are the constants above.
        command.CommandText = query;
#pragma warning restore CA2100
        using SqliteDataReader row = command.ExecuteReader();
        var rows = new List<T>();
        while (row.Read()) rows.Add(read(row));
        return rows;
    }

    private static string? IdentityOf(string text) => _unknown.Contains(text) ? null : text;

    private static long NumberOf(string text) =>
        long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out long number) ? number : 0;

    private static DateTimeOffset TimeOf(long device, long service, DateTimeOffset now)
    {
        long number = device > 0 ? device : service;
        DateTimeOffset time = number >= TicksMin && number <= DateTime.MaxValue.Ticks ? new DateTimeOffset(number, TimeSpan.Zero)
            : DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(number, 0, now.ToUnixTimeMilliseconds()));
        return time < _first ? _first : time > now ? now : time;
    }

    /// <summary>iOS wraps each value: <c>{"v":"…"}</c>.</summary>
    private static string? IosValue(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("v", out JsonElement value) ? value.ToString() : json;
        }
        catch (JsonException)
        {
            return json;
        }
    }
}
