namespace SyncEngine.Storage;

/// <summary>What a simulation does in place of the storage thread.</summary>
internal sealed partial class Journal
{
    /// <summary>By hand: gathers what is pending, which then waits for <see cref="RunNow"/> while writes go on.</summary>
    /// <returns>Whether there was anything, and nothing gathered before.</returns>
    public bool GatherNow()
    {
        if (_stuck is not null || !HasPending()) return false;
        _stuck = Gather(_storage!);
        return true;
    }

    /// <summary>By hand: commits until nothing is pending, or once where the storage fails. Does nothing where a thread does
    /// it.</summary>
    public void RunNow()
    {
        if (_thread is not null || _storage is not { } storage || _ended) return;
        if (Failure is not null) Commit(storage);
        while (Failure is null)
        {
            if (_stuck is not null || HasPending()) Commit(storage);
            else if (_snapshotting is not null) StagePage(storage);
            else return;
        }
    }

    /// <summary>By hand: one piece of work: commits what was gathered, stages a page of a snapshot, or gathers.</summary>
    /// <returns>Whether there was any.</returns>
    public bool StepNow()
    {
        if (_stuck is not null) Commit(_storage!);
        else if (_snapshotting is not null) StagePage(_storage!);
        else return GatherNow();
        return true;
    }

    /// <summary>By hand: what was gathered and is not committed yet; a crash may come before or after it landed.</summary>
    public StorageBatch? Gathered => _stuck;
}
