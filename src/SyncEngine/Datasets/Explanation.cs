using System.Text;
using SyncEngine.Cells;
using SyncEngine.Values;

namespace SyncEngine.Datasets;

/// <summary>Every surviving write of a key and why the record reads as it does.</summary>
/// <param name="Key">The key.</param>
/// <param name="Cells">One part for each cell: the record itself, or each field, element or place.</param>
public sealed record Explanation(string Key, IReadOnlyList<ExplainedCell> Cells)
{
    /// <summary>The explanation in words, a line each write.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (ExplainedCell cell in Cells)
        {
            text.Append(cell.Kind).Append(' ').Append(Key);
            if (cell.Field is not null) text.Append(" [").Append(cell.Field).Append(']');
            text.Append(" = ").Append(cell.Value.IsMissing ? "nothing" : cell.Value.ToString());
            text.Append(": ").AppendLine(cell.Reason);
            foreach (ExplainedWrite write in cell.Writes)
                text.Append(write.Counts ? "  * " : "    ").AppendLine(write.ToString());
        }

        return text.ToString();
    }
}

/// <summary>One cell of an explained key.</summary>
/// <param name="Kind">The record's kind.</param>
/// <param name="Field">Field, element or list position; null for a record of one cell.</param>
/// <param name="Value">What it reads as; missing if there is nothing to read.</param>
/// <param name="Reason">Why, in words.</param>
/// <param name="Writes">The surviving writes, the one that counts most first.</param>
public sealed record ExplainedCell(
    RecordKind Kind, string? Field, Value Value, string Reason, IReadOnlyList<ExplainedWrite> Writes);

/// <summary>One surviving write of an explained cell.</summary>
/// <param name="Write">Value, dot and time.</param>
/// <param name="IsOwn">Whether this device wrote it.</param>
/// <param name="Counts">Whether it takes part in what is shown.</param>
public sealed record ExplainedWrite(CompetingWrite Write, bool IsOwn, bool Counts)
{
    /// <summary>The write in words.</summary>
    public override string ToString() =>
        $"{(Write.IsDeleted ? "deleted" : Write.Value.ToString())} by {(IsOwn ? "this device" : "device")} "
        + $"{Write.Dot.Replica}, change {Write.Dot.Counter}, at {Write.Time}";
}
