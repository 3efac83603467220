using System.Globalization;
using Microsoft.Data.Sqlite;
using SyncEngine.LiteDB;
using Xunit;

namespace SyncEngine.Cli.Tests;

/// <summary>The files that old sync clients leave on devices, each made here as that client makes it.</summary>
public sealed class OldClientFileTests : IDisposable
{
    private const string Ann = "us-east-1:0123abcd-0000-4000-8000-00000000000a";
    private const string Bob = "us-east-1:0123abcd-0000-4000-8000-00000000000b";
    private const string Tables = """
        CREATE TABLE datasets(identity_id TEXT NOT NULL, dataset_name TEXT NOT NULL, creation_timestamp TIME DEFAULT 0,
         last_modified_timestamp TIME DEFAULT 0, last_modified_by TEXT, storage_size_bytes INTEGER DEFAULT 0,
         record_count INTEGER DEFAULT 0, last_sync_count INTEGER NOT NULL DEFAULT 0, last_sync_timestamp TIME DEFAULT 0,
         last_sync_result TEXT, UNIQUE (identity_id, dataset_name));
        CREATE TABLE records(identity_id TEXT NOT NULL, dataset_name TEXT NOT NULL, key TEXT NOT NULL, value TEXT,
         sync_count INTEGER NOT NULL DEFAULT 0, last_modified_timestamp TIME DEFAULT 0, last_modified_by TEXT,
         device_last_modified_timestamp TIME DEFAULT 0, modified INTEGER NOT NULL DEFAULT 1,
         UNIQUE (identity_id, dataset_name, key));
        """;

    private static readonly DateTimeOffset _then = new(2024, 3, 4, 5, 6, 7, TimeSpan.Zero);
    private readonly Sandbox _box = new();

    public void Dispose() => _box.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_client_kept_comes_into_a_store_synced_or_not(bool isDotNet)
    {
        Make(isDotNet);
        string told = await _box.DoAsync("cognito", "import-file", "old.db", "new.db", "--identity", Ann);
        Assert.Contains("3 records written (2 never synced), 0 there already, 0 deleted.", told, StringComparison.Ordinal);
        ProgramRun exported = await _box.RunAsync("export", "new.db");
        Assert.Equal(
            [
                """{"dataset":"save","key":"empty","kind":"register","value":""}""",
                """{"dataset":"save","key":"level","kind":"register","value":"7"}""",
                """{"dataset":"save","key":"näme","kind":"register","value":"Änn"}""",
            ], exported.Lines);

        // Again: nothing is written twice.
        told = await _box.DoAsync("cognito", "import-file", "old.db", "new.db", "--identity", Ann);
        Assert.Contains("0 records written (0 never synced), 3 there already, 0 deleted.", told, StringComparison.Ordinal);
        Assert.Contains("2024-03-04", await _box.DoAsync("explain", "new.db", "save", "level"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_what_was_never_synced_goes_over_what_the_hub_has_removes_included()
    {
        Make(isDotNet: false);
        foreach (string key in (string[])["level", "gone", "näme"])
            await _box.DoAsync("put", "new.db", "save", key, "\"newer\"");
        ProgramRun told = await _box.RunAsync(
            "cognito", "import-file", "old.db", "new.db", "--identity", Ann, "--unsynced");
        Assert.Contains("2 records written (2 never synced), 0 there already, 1 deleted.", told.Output, StringComparison.Ordinal);
        Assert.Equal("\"newer\"", (await _box.DoAsync("get", "new.db", "save", "level")).Trim());
        Assert.Equal("\"Änn\"", (await _box.DoAsync("get", "new.db", "save", "näme")).Trim());
        Assert.Equal(1, (await _box.RunAsync("get", "new.db", "save", "gone")).ExitCode);
    }

    [Fact]
    public async Task The_file_of_an_iPhone_and_its_own_id()
    {
        Run("""
            CREATE TABLE CognitoData (IdentityId TEXT NOT NULL DEFAULT UnknownId, Dataset TEXT NOT NULL, Key TEXT NOT NULL,
             LastModified INTEGER NOT NULL, ModifiedBy TEXT NOT NULL, Data TEXT NOT NULL, SyncCount INTEGER NOT NULL DEFAULT 0,
             Dirty INTEGER NOT NULL DEFAULT 1, Type INTEGER NOT NULL, PRIMARY KEY(IdentityId, Dataset, Key));
            CREATE TABLE CognitoMetadata (IdentityId TEXT NOT NULL DEFAULT UnknownId, Dataset TEXT NOT NULL,
             LastSyncCount INTEGER NOT NULL DEFAULT 0, LastModified INTEGER NOT NULL DEFAULT 0, ModifiedBy TEXT NOT NULL,
             CreationDate INTEGER NOT NULL DEFAULT 0, DataStorage INTEGER NOT NULL DEFAULT 0,
             RecordCount INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(IdentityId, Dataset));
            """);
        string time = _then.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        Run($$"""
            INSERT INTO CognitoMetadata(IdentityId, Dataset, LastSyncCount, ModifiedBy) VALUES ('{{Ann}}', 'save', 3, 'phone');
            INSERT INTO CognitoData VALUES ('{{Ann}}', 'save', 'a', {{time}}, 'phone', '{"v":"say \"hi\""}', 3, 0, 1);
            INSERT INTO CognitoData VALUES ('{{Ann}}', 'save', 'b', {{time}}, 'phone', '{"v":"new"}', 0, 2, 1);
            INSERT INTO CognitoData VALUES ('{{Ann}}', 'save', 'c', {{time}}, 'phone', '{"v":"\u0000"}', 1, 1, 2);
            """);
        ProgramRun told = await _box.RunAsync("cognito", "import-file", "old.db", "new.db", "--keep-id");
        Assert.Contains("2 records written (1 never synced)", told.Output, StringComparison.Ordinal);
        Assert.Contains("1 removes that were never synced", told.Error, StringComparison.Ordinal);
        Assert.Equal("\"say \\\"hi\\\"\"", (await _box.DoAsync("get", "new.db", "save", "a")).Trim());
        await using SyncStore store = await LiteDbSyncStore.OpenAsync(_box.PathOf("new.db"), null, new LiteDbStorageOptions
        {
            LocalStateFolder = _box.PathOf("state"),
        });
        Assert.Equal("0123abcd00004000800000000000000a", store.Identity.Id.ToString());
    }

    [Fact]
    public async Task A_dataset_that_was_deleted_on_the_device_is_deleted_and_a_dry_run_does_nothing()
    {
        Make(isDotNet: true);
        await _box.DoAsync("put", "new.db", "doomed", "k", "1");
        ProgramRun told = await _box.RunAsync("cognito", "import-file", "old.db", "new.db", "--identity", Bob, "--dry-run");
        Assert.Equal("", told.Output);
        Assert.Contains("1 records in 1 datasets, 1 of them never synced", told.Error, StringComparison.Ordinal);
        Assert.Equal("1", (await _box.DoAsync("get", "new.db", "doomed", "k")).Trim());
        await _box.DoAsync("cognito", "import-file", "old.db", "new.db", "--identity", Bob);
        Assert.Equal(1, (await _box.RunAsync("get", "new.db", "doomed", "k")).ExitCode);
    }

    [Fact]
    public async Task What_is_wrong_is_told_in_one_sentence()
    {
        Make(isDotNet: true);
        string none = await _box.FailAsync(ExitCode.BadInput, "cognito", "import-file", "none.db", "new.db");
        Assert.Contains("There is no file", none, StringComparison.Ordinal);
        string several = await _box.FailAsync(ExitCode.BadInput, "cognito", "import-file", "old.db", "new.db");
        Assert.Contains("--identity", several, StringComparison.Ordinal);
        Assert.Contains(Bob, several, StringComparison.Ordinal);
        await _box.FailAsync(ExitCode.CheckFailed, "cognito", "import-file", "old.db", "new.db", "--identity", "us-east-1:x");
        await _box.DoAsync("put", "store.db", "save", "k", "1");
        string other = await _box.FailAsync(ExitCode.BadInput, "cognito", "import-file", "store.db", "new.db");
        Assert.Contains("no SQLite file", other, StringComparison.Ordinal);
        Assert.False(File.Exists(_box.PathOf("new.db")));
    }

    private void Make(bool isDotNet)
    {
        string time = isDotNet ? $"'{_then.Ticks.ToString(CultureInfo.InvariantCulture)}'"
            : _then.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        Run(Tables.Replace("TIME", isDotNet ? "TEXT" : "INTEGER", StringComparison.Ordinal) + $"""
            INSERT INTO datasets(identity_id, dataset_name, last_sync_count) VALUES ('{Ann}', 'save', 4), ('{Bob}', 'doomed', -1);
            INSERT INTO records VALUES ('{Ann}', 'save', 'level', '7', 4, {time}, 'phone', {time}, 0);
            INSERT INTO records VALUES ('{Ann}', 'save', 'näme', 'Änn', 2, {time}, 'phone', {time}, 1);
            INSERT INTO records VALUES ('{Ann}', 'save', 'empty', '', 0, 0, NULL, {time}, 1);
            INSERT INTO records VALUES ('{Ann}', 'save', 'gone', NULL, 3, {time}, 'phone', {time}, 1);
            INSERT INTO records VALUES ('{Ann}', 'save', 'long gone', NULL, 3, {time}, 'phone', {time}, 0);
            INSERT INTO records VALUES ('{Bob}', 'other', 'x', 'y', 0, 0, NULL, {time}, 1);
            """);
    }

    private void Run(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_box.PathOf("old.db")};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this file.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
