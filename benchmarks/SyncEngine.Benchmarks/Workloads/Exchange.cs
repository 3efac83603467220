namespace SyncEngine.Benchmarks.Workloads;

/// <summary>
/// What it took one replica to pull from another: asking, encoding and applying, in milliseconds and bytes.
/// </summary>
internal readonly record struct Exchange(double Version, double Encode, double Apply, int UpBytes, int DeltaBytes)
{
    public double Total => Version + Encode + Apply;

    public static Exchange Pull(IReplica target, IReplica source)
    {
        byte[] version = [], delta = [];
        double asked = Measure.Milliseconds(() => version = target.EncodeVersion());
        double encoded = Measure.Milliseconds(() => delta = source.EncodeDelta(version));
        double applied = Measure.Milliseconds(() => target.Apply(delta));
        return new Exchange(asked, encoded, applied, version.Length, delta.Length);
    }
}
