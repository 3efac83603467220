using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;

namespace SyncEngine.Cli;

/// <summary>What one transfer moved.</summary>
/// <param name="Records">Records that changed at the receiver.</param>
/// <param name="Bytes">Bytes that were carried.</param>
internal readonly record struct Carried(int Records, long Bytes);

/// <summary>Carries what one store lacks from another, and tells whether both have the same.</summary>
internal static class Carrier
{
    public static async Task<Carried> CarryAsync(
        SyncStore source, SyncStore target, IProgress<double> progress, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, VersionVector> known = target.GetVersions();
        progress.Report(0.2);
        if (Lacks(source.GetVersions(), known) == 0) return Done(new Carried(0, 0), progress);
        byte[] bundle = await source.ExportAsync(known, cancellationToken: cancellationToken);
        progress.Report(0.5);
        return Done(await ApplyAsync(target, bundle, cancellationToken), progress);
    }

    /// <summary>Merges a bundle and counts the records that it changed.</summary>
    public static async Task<Carried> ApplyAsync(
        SyncStore target, byte[] bundle, CancellationToken cancellationToken, bool adopts = false)
    {
        HashSet<string> known = [.. target.Identity.DatasetNames];
        var counts = known.Select(name => new ChangedRecords(target.Identity.Dataset(name))).ToList();
        try
        {
            ApplyResult result = await target.ApplyAsync(bundle, adopts, cancellationToken);
            if (!result.IsComplete)
            {
                IEnumerable<string> refused = result.Outcomes.Where(static outcome => outcome.Value == JoinOutcome.Gap)
                    .Select(static outcome => outcome.Key);
                throw CommandFailure.NotFound($"Refused for dataset {string.Join(", ", refused)}: it builds on changes that "
                    + "are missing here. Apply the earlier delta first, or make one with --since this file.");
            }

            int added = target.Identity.DatasetNames.Where(name => !known.Contains(name))
                .Sum(name => target.Identity.Dataset(name).Count);
            return new Carried(added + counts.Sum(static count => count.Wait()), bundle.Length);
        }
        finally
        {
            foreach (ChangedRecords count in counts) count.Dispose();
        }
    }

    /// <summary>How many datasets the other side has not all of.</summary>
    public static int Lacks(
        IReadOnlyDictionary<string, VersionVector> versions, IReadOnlyDictionary<string, VersionVector> others) =>
        versions.Count(version => !version.Value.IsAtMost(others.GetValueOrDefault(version.Key, VersionVector.Empty)));

    /// <summary>The datasets in which two stores differ, in versions or in what they hold.</summary>
    public static List<string> Differences(SyncStore left, SyncStore right)
    {
        IReadOnlyDictionary<string, VersionVector> leftVersions = left.GetVersions(), rightVersions = right.GetVersions();
        return leftVersions.Keys.Union(rightVersions.Keys).Order(StringComparer.Ordinal).Where(name =>
            !leftVersions.GetValueOrDefault(name, VersionVector.Empty)
                .Equals(rightVersions.GetValueOrDefault(name, VersionVector.Empty))
            || left.Identity.Dataset(name).Digest != right.Identity.Dataset(name).Digest).ToList();
    }

    private static Carried Done(Carried carried, IProgress<double> progress)
    {
        progress.Report(1);
        return carried;
    }

    /// <summary>Counts the records that a dataset's next changes touch.</summary>
    private sealed class ChangedRecords : IObserver<ChangeSet>, IDisposable
    {
        private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);
        private readonly object _gate = new();
        private readonly HashSet<RecordName> _names = [];
        private readonly Dataset _dataset;
        private readonly IDisposable _subscription;
        private long _revision;

        public ChangedRecords(Dataset dataset)
        {
            _dataset = dataset;
            _revision = dataset.Revision;
            _subscription = dataset.Changes.Subscribe(this);
        }

        /// <summary>The count, once every change so far was delivered.</summary>
        public int Wait()
        {
            lock (_gate)
            {
                while (_revision < _dataset.Revision && Monitor.Wait(_gate, _patience))
                {
                }

                return _names.Count;
            }
        }

        public void OnNext(ChangeSet value)
        {
            lock (_gate)
            {
                foreach (Change change in value) _names.Add(new RecordName(change.Key, change.Kind));
                _revision = value.Revision;
                Monitor.PulseAll(_gate);
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => _subscription.Dispose();
    }
}
