namespace SyncEngine.Benchmarks.Workloads;

/// <summary>One copy of the records, as the workloads use it. Versions and deltas travel as bytes.</summary>
internal interface IReplica : IDisposable
{
    void Write(Record record);

    /// <summary>Writes the records as one transaction.</summary>
    void WriteAll(Record[] records);

    string? Read(string key);

    byte[] EncodeVersion();

    /// <summary>What a replica with the given version lacks.</summary>
    byte[] EncodeDelta(byte[] version);

    byte[] EncodeAll();

    void Apply(byte[] frame);

    /// <summary>Counts, from now on, the changes that a subscriber is told of.</summary>
    ChangeCount CountChanges();
}

/// <summary>What the workloads measure.</summary>
internal interface IEngine
{
    /// <summary>Stands at the start of each printed line.</summary>
    string Name { get; }

    /// <summary>Other encodings of the full state than <see cref="IReplica.EncodeAll"/>, by name.</summary>
    IReadOnlyDictionary<string, Func<IReplica, byte[]>> OtherEncodings { get; }

    IReplica Open();

    /// <summary>A replica that only writes what another one merges, so that opening many stays cheap.</summary>
    IReplica OpenAuthor();
}
