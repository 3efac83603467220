namespace SyncEngine.Identities;

/// <summary>What an identity needs from the store that keeps it.</summary>
/// <param name="NextNumber">Hands out a number for a new dataset.</param>
/// <param name="Keep">Has the identity's page written with the next commit; the task completes when it is durable.</param>
/// <param name="NotesSyncs">Whether the page remembers when the identity last synced.</param>
internal sealed record IdentityHome(Func<int> NextNumber, Func<byte[], Task> Keep, bool NotesSyncs = true);
