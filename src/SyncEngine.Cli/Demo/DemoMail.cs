using SyncEngine.Causality;
using SyncEngine.Cells;
using SyncEngine.Datasets;

namespace SyncEngine.Cli.Demo;

/// <summary>One attempt to bring a parcel to a device.</summary>
internal sealed record Delivery(string Parcel, string Receiver, long Bytes, JoinOutcome Outcome, string Words);

/// <summary>Carries deltas between the devices as files of bytes, and notes what became of each.</summary>
internal sealed class DemoMail(string folder)
{
    public List<Delivery> Deliveries { get; } = [];

    /// <summary>Packs what a device has beyond a version into a parcel; returns the version that it brings.</summary>
    public async Task<VersionVector> PackAsync(DemoDevice sender, string parcel, VersionVector since)
    {
        VersionVector version = sender.Save.Version;
        await File.WriteAllBytesAsync(PathOf(parcel), await sender.Save.DeltaAsync(since));
        return version;
    }

    /// <summary>Brings a parcel to a device.</summary>
    /// <exception cref="InvalidOperationException">The engine did not do with it what the story says.</exception>
    public async Task DeliverAsync(string parcel, DemoDevice receiver, JoinOutcome expected, string words)
    {
        byte[] bytes = await File.ReadAllBytesAsync(PathOf(parcel));
        ulong digest = receiver.Save.Digest;
        JoinResult result = await receiver.Save.JoinAsync(bytes);
        bool isUntouched = receiver.Save.Digest == digest;
        if (result.Outcome != expected || (expected == JoinOutcome.Gap && !isUntouched))
        {
            throw new InvalidOperationException(
                $"Parcel {parcel} at {receiver.Name}: {result.Outcome} instead of {expected}, or a refusal left traces.");
        }

        Deliveries.Add(new Delivery(parcel, receiver.Name, bytes.Length, result.Outcome, words));
    }

    private string PathOf(string parcel) => Path.Combine(folder, parcel + ".delta");
}
