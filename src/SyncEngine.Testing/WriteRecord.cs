namespace SyncEngine.Testing;

/// <summary>A write as it stands in a cell of a device.</summary>
/// <param name="Cell">The cell there.</param>
/// <param name="Text">Hash of the cell's kind, key and field, the same everywhere.</param>
/// <param name="Stamp">The stamp of the opening that wrote it; 0 if the line does not tell.</param>
/// <param name="Counter">Its counter.</param>
/// <param name="Replica">The index of its replica there.</param>
/// <param name="Clock">Its time.</param>
/// <param name="IsDeleted">Whether it is a delete.</param>
/// <param name="Value">Hash of its value.</param>
internal readonly record struct StandingWrite(
    int Cell, ulong Text, ulong Stamp, long Counter, int Replica, ulong Clock, bool IsDeleted, ulong Value);

/// <summary>What the oracle knows of one write.</summary>
internal sealed class WriteRecord(string dataset, string device, StandingWrite standing, string words)
{
    public string Dataset => dataset;

    public string Device => device;

    public StandingWrite Standing => standing;

    /// <summary>The writes of its cell that it replaced.</summary>
    public int[] Supersedes { get; set; } = [];

    /// <summary>Its author was told that it is durable.</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>It was durable on some device at some time, so that others may have it.</summary>
    public bool WasDurable { get; set; }

    /// <summary>Its author's process died before it was durable: nobody may ever see it.</summary>
    public bool IsDead { get; set; }

    /// <summary>The only file that had it was torn or replaced: perhaps nobody has it in the end.</summary>
    public bool MayBeMissing { get; set; }

    /// <summary>The only file that had it was torn: devices may think that they have seen it, and lack it.</summary>
    public bool MayBeGone { get; set; }

    public override string ToString() => $"{device}'s {dataset}/{words}";
}

/// <summary>A promise of the engine was broken.</summary>
internal sealed class HistoryException(string message, Exception? inner = null) : Exception(message, inner);
