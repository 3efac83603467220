namespace SyncEngine.Testing;

/// <summary>What a simulation did.</summary>
public sealed record SimulationReport
{
    /// <summary>Histories that began and ended with all devices equal.</summary>
    public long Histories { get; internal set; }

    /// <summary>Steps: a message sent or delivered, a write, a commit, a fault.</summary>
    public long Steps { get; internal set; }

    /// <summary>Changes that were written.</summary>
    public long Writes { get; internal set; }

    /// <summary>Changes that were acknowledged as durable.</summary>
    public long Acknowledged { get; internal set; }

    /// <summary>Messages that arrived.</summary>
    public long Delivered { get; internal set; }

    /// <summary>Messages lost, repeated, delivered out of turn, cut short, changed or made up.</summary>
    public long Disturbed { get; internal set; }

    /// <summary>Processes that died.</summary>
    public long Crashes { get; internal set; }

    /// <summary>Files copied, restored or torn.</summary>
    public long Files { get; internal set; }

    /// <summary>Times that a device was held against all that it should hold.</summary>
    public long Checks { get; internal set; }

    internal SimulationReport Copy() => this with { };
}
