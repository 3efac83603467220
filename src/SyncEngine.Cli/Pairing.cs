using SyncEngine.Identities;

namespace SyncEngine.Cli;

/// <summary>Brings two files to one identity where that harms nobody: a guest that never exchanged anything gives
/// way.</summary>
internal static class Pairing
{
    /// <summary>Pairs two stores; returns in words who adopted whom, or null if they were paired already.</summary>
    public static async Task<string?> PairAsync(SyncStore source, string sourceName, SyncStore target, string targetName)
    {
        if (source.Identity.Id == target.Identity.Id) return null;
        if (!target.Identity.IsPaired) return await AdoptAsync(target, targetName, source, sourceName);
        if (!source.Identity.IsPaired) return await AdoptAsync(source, sourceName, target, targetName);
        throw new CommandFailure(ExitCode.OperationFailed,
            $"{sourceName} belongs to identity {source.Identity.Id} and {targetName} to {target.Identity.Id}, and "
                + "both have synced as such: merging them would mix the data of two people. To carry records over on "
                + "purpose, use export and import.");
    }

    /// <summary>
    /// Says that a guest will take the identity of a bundle; null if it had it already. Refuses a file that has synced
    /// under another one.
    /// </summary>
    public static string? ExplainAdoption(SyncStore store, string name, IdentityId id, string fromName)
    {
        if (store.Identity.Id == id) return null;
        if (!store.Identity.IsPaired)
            return $"{name} was a guest that had never synced; it now shares the identity of {fromName} ({id}).";
        throw new CommandFailure(ExitCode.OperationFailed,
            $"{fromName} belongs to identity {id} and {name} to {store.Identity.Id}, which has synced as such: merging "
            + "them would mix the data of two people. To carry records over on purpose, use export and import.");
    }

    private static async Task<string?> AdoptAsync(SyncStore guest, string guestName, SyncStore other, string otherName)
    {
        string? words = ExplainAdoption(guest, guestName, other.Identity.Id, otherName);
        await guest.AdoptIdentityAsync(other.Identity.Id);

        // From now on the identity is shared, so neither side may give it up.
        await other.AdoptIdentityAsync(other.Identity.Id);
        return words;
    }
}
