using SyncEngine.Causality;
using SyncEngine.Datasets;
using SyncEngine.Json;

namespace SyncEngine.Cli.Json;

/// <summary>Reads and checks all lines of an import before anything is written.</summary>
internal static class RecordLines
{
    /// <summary>Reads to the end.</summary>
    /// <exception cref="CommandFailure">A line is bad; the message gives its number.</exception>
    public static List<RecordLine> Read(
        Stream source, string sourceName, IProgress<double> progress, CancellationToken cancellationToken)
    {
        long length = source.CanSeek ? Math.Max(1, source.Length) : 0;
        var lines = new LineReader(source);
        var records = new List<RecordLine>();
        var firstLines = new Dictionary<(string Dataset, RecordName Name), long>();

        // The engine knows best what it takes: what a store in memory accepts, the file will accept.
        using SyncStore rehearsal = SyncStore.OpenInMemory();
        while (lines.TryRead(out ReadOnlySpan<byte> line))
        {
            if (lines.Number % 1024 == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (length > 0) progress.Report((double)lines.BytesRead / length);
            }

            if (line.IndexOfAnyExcept((byte)' ', (byte)'\t') < 0) continue;
            try
            {
                RecordLine record = RecordLine.Parse(line);
                if (!firstLines.TryAdd((record.Dataset, record.Name), lines.Number))
                {
                    throw new FormatException($"{RecordKindName.Of(record.Name.Kind)} {record.Name.Key} of dataset "
                        + $"{record.Dataset} stands in line {firstLines[(record.Dataset, record.Name)]} already");
                }

                record.ApplyTo(rehearsal.Identity.Dataset(record.Dataset));
                records.Add(record);
            }
            catch (Exception e) when (e is FormatException or ArgumentException or SyncException)
            {
                string why = e is ArgumentException argument ? ValueJson.FirstSentence(argument) : e.Message.TrimEnd('.');
                throw CommandFailure.BadInput($"{sourceName}, line {lines.Number}: {why}. Nothing was imported.", e);
            }
        }

        progress.Report(1);
        return records;
    }
}
