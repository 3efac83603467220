using System.Globalization;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Tests.Simulation;

/// <summary>One write of a device, whose value nobody else ever wrote, so that it is known wherever it shows.</summary>
/// <param name="Number">Its number, which is its value.</param>
/// <param name="Device">Who wrote it.</param>
/// <param name="Dataset">The dataset, without what a merge put behind its name.</param>
internal sealed record Mark(int Number, Party Device, string Dataset)
{
    /// <summary>The identity that its device had then, or the one that it signed in to since.</summary>
    public required IdentityId Author { get; set; }

    /// <summary>Other identities that hold it: a device that held it signed in to them.</summary>
    public HashSet<IdentityId> Holders { get; } = [];

    /// <summary>
    /// Whether it stood in a guest's file that was copied, when one of the copies signed in to an account. The other copy may
    /// still register as the guest, which the hub never met. Where either is merged beside the other, it rightly stands in both.
    /// </summary>
    public bool MayStandTwice { get; set; }

    /// <summary>The register that it wrote, too; null for none.</summary>
    public string? Key { get; init; }

    /// <summary>What it added to the counter beside it.</summary>
    public long Amount { get; init; }

    /// <summary>Whether its value is longer than the pool allows.</summary>
    public bool IsLarge { get; init; }

    /// <summary>The marks whose register it replaced, as its device showed them.</summary>
    public IReadOnlyCollection<int> Supersedes { get; init; } = [];

    /// <summary>The replica under which it was written.</summary>
    public ulong Replica { get; set; }

    /// <summary>Its device was told that it is durable there.</summary>
    public bool IsDurable { get; set; }

    /// <summary>It died with its process: nobody may ever see it.</summary>
    public bool IsDead { get; set; }

    /// <summary>It may have died unseen, replaced by a later write of the same process.</summary>
    public bool MayBeDead { get; set; }

    /// <summary>The hub has told a device that it has it.</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>Written after its device was revoked, under a replica that was fenced.</summary>
    public bool IsFenced { get; set; }

    /// <summary>A merge that keeps one side's reading took it away.</summary>
    public bool MayBeRemoved { get; set; }

    public static int NumberOf(string text) =>
        int.Parse(text.AsSpan().TrimEnd('.'), NumberStyles.None, CultureInfo.InvariantCulture);

    public override string ToString() => $"{Device.Name}'s write {Number} to {Dataset}";
}
