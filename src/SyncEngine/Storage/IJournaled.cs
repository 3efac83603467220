using SyncEngine.Causality;

namespace SyncEngine.Storage;

/// <summary>Something whose changes the journal makes durable: a dataset.</summary>
internal interface IJournaled
{
    /// <summary>Adds what changed since the last call to the batch. Runs on the storage thread.</summary>
    void Encode(StorageBatch batch);

    /// <summary>What the last <see cref="Encode"/> added is durable.</summary>
    void OnDurable();

    /// <summary>What the last <see cref="Encode"/> added is not durable yet; it stays queued.</summary>
    void OnFailed(SyncException failure);

    /// <summary>Whether a snapshot would pay.</summary>
    bool WantsSnapshot { get; }

    /// <summary>Stages the next page of a snapshot.</summary>
    /// <returns>Whether another page follows.</returns>
    bool StagePage(ISyncStorage storage);

    /// <summary>Drops a snapshot that was begun.</summary>
    void AbandonSnapshot();
}
