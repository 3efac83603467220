using System.Diagnostics.CodeAnalysis;

namespace SyncEngine.Values;

/// <summary>What a <see cref="Value"/> holds.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "A kind is best named by what it holds, as JSON libraries do.")]
public enum ValueKind
{
    /// <summary>No value at all: nothing is stored under that key. The kind of <c>default(Value)</c>.</summary>
    Missing = 0,

    /// <summary>A stored null.</summary>
    Null = 1,

    /// <summary>True or false.</summary>
    Boolean = 2,

    /// <summary>A signed 64-bit integer.</summary>
    Integer = 3,

    /// <summary>A 64-bit floating-point number.</summary>
    Double = 4,

    /// <summary>Unicode text.</summary>
    String = 5,

    /// <summary>A byte array.</summary>
    Bytes = 6,

    /// <summary>An instant in UTC.</summary>
    Timestamp = 7,

    /// <summary>A list of values, replaced as a whole.</summary>
    Array = 8,

    /// <summary>Values by text keys, replaced as a whole.</summary>
    Map = 9,
}
