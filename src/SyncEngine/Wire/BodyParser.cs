using MessagePack;
using SyncEngine.Causality;
using SyncEngine.Cells;

namespace SyncEngine.Wire;

/// <summary>Reads the body of a delta, snapshot or stored frame into columns, checking as it goes.</summary>
internal sealed class BodyParser(CellColumns columns, FrameType type, FrameLimits limits)
{
    private const int BodyFields = 9;

    public DecodedFrame Parse(ref MessagePackReader reader)
    {
        FrameReader.ExpectArray(ref reader, BodyFields);
        string dataset = FrameReader.ReadText(ref reader, FrameLimits.DatasetNameBytesMax);
        if (dataset.Length == 0) throw FrameReader.Fault("The dataset has no name.", reader.Consumed);
        ReadReplicas(ref reader);
        columns.To = ReadCounters(ref reader, mayBeNil: false);
        columns.IsSnapshot |= type == FrameType.Part && reader.NextCode == MessagePackCode.Nil;
        columns.Base = ReadCounters(ref reader, mayBeNil: columns.IsSnapshot);
        columns.Collected = ReadCounters(ref reader, mayBeNil: true);
        ReadLines(ref reader);
        CheckVectors(reader.Consumed);
        var parser = new ColumnParser(columns, type, limits.EntriesMax);
        parser.Parse(ref reader);
        StoredHeader? stored = type == FrameType.Stored ? ReadHeader(ref reader) : null;
        if (stored is null && !reader.TryReadNil())
            throw FrameReader.Fault("Only a stored frame has a header.", reader.Consumed);
        PartHeader? part = type == FrameType.Part ? ReadPart(ref reader) : null;
        if (part is null && !reader.TryReadNil())
            throw FrameReader.Fault("Only a part says which one it is.", reader.Consumed);
        return new DecodedFrame(type, dataset, columns, stored) { RevisionsBelow = parser.RevisionsBelow, Part = part };
    }

    private void ReadReplicas(ref MessagePackReader reader)
    {
        int count = FrameReader.ReadCount(ref reader, limits.ReplicasMax);
        var replicas = new ReplicaId[count];
        var seen = count > 8 ? new HashSet<ulong>(count) : null;
        for (int i = 0; i < count; i++)
        {
            replicas[i] = new ReplicaId(reader.ReadUInt64());
            bool twice = seen is null ? Array.IndexOf(replicas, replicas[i], 0, i) >= 0 : !seen.Add(replicas[i].Bits);
            if (twice || replicas[i].IsNone)
                throw FrameReader.Fault("A replica is named twice or has no id.", reader.Consumed);
        }

        columns.Replicas = replicas;
    }

    private long[] ReadCounters(ref MessagePackReader reader, bool mayBeNil)
    {
        var counters = new long[columns.Replicas.Length];
        if (mayBeNil && reader.TryReadNil()) return counters;
        FrameReader.ExpectArray(ref reader, counters.Length);
        for (int i = 0; i < counters.Length; i++)
        {
            counters[i] = reader.ReadInt64();
            if (counters[i] is < 0 or > FrameLimits.CounterMax)
                throw FrameReader.Fault("A counter is negative or above 2^48.", reader.Consumed);
        }

        return counters;
    }

    private void ReadLines(ref MessagePackReader reader)
    {
        FrameReader.ExpectArray(ref reader, columns.Replicas.Length);
        var lines = new Opening[columns.Replicas.Length][];
        columns.OpeningsBefore = new int[lines.Length];
        for (int i = 0; i < lines.Length; i++)
        {
            lines[i] = type switch
            {
                FrameType.Stored => ReadLine(ref reader, FrameLimits.CounterMax, out columns.OpeningsBefore[i]),
                FrameType.Delta => ReadLine(ref reader, columns.To[i], out columns.OpeningsBefore[i]),
                _ => ReadWholeLine(ref reader, columns.To[i]),
            };
            if (lines[i].Length == 0 && type != FrameType.Stored)
                throw FrameReader.Fault("A line does not fit its counter.", reader.Consumed);
        }

        columns.Lines = lines;
        if (type != FrameType.Stored) CheckLines(columns, reader.Consumed);
    }

    /// <summary>Reads the line of a replica that made <paramref name="counter"/> changes, from its first opening on.</summary>
    internal static Opening[] ReadWholeLine(ref MessagePackReader reader, long counter)
    {
        Opening[] line = ReadLine(ref reader, counter, out int before);
        return before == 0 && line.Length > 0 ? line
            : throw FrameReader.Fault("A line does not fit its counter.", reader.Consumed);
    }

    /// <summary>Reads a line of openings whose counters rise up to <paramref name="counter"/>.</summary>
    /// <param name="reader">Stands before the line.</param>
    /// <param name="counter">How many changes the replica made.</param>
    /// <param name="before">How many openings come before those that are told.</param>
    internal static Opening[] ReadLine(ref MessagePackReader reader, long counter, out int before)
    {
        int count = FrameReader.ReadCount(ref reader, int.MaxValue);
        before = count % 2 == 0 ? 0 : reader.ReadInt32();
        if (count == 1 || (count % 2 != 0 && before <= 0))
            throw FrameReader.Fault("A line has an opening without a stamp.", reader.Consumed);
        var line = new Opening[count / 2];
        for (int j = 0; j < line.Length; j++) line[j] = new Opening(reader.ReadInt64(), reader.ReadUInt64());
        return Line.IsRising(line, counter) ? line
            : throw FrameReader.Fault("A line does not fit its counter.", reader.Consumed);
    }

    /// <summary>Each stamp stands in one line alone, and a replica that is named by one begins with it.</summary>
    internal static void CheckLines(ILineage told, long offset)
    {
        var stamps = new HashSet<ulong>();
        for (int i = 0; i < told.Count; i++)
        {
            foreach (Opening opening in told.LineOf(i))
                if (!stamps.Add(opening.Stamp) || (told.Find(new ReplicaId(opening.Stamp)) is >= 0 and var named && named != i))
                    throw FrameReader.Fault("An opening is told of two replicas.", offset);
        }
    }

    private void CheckVectors(long offset)
    {
        // A stored frame names replicas that it only refers to with a counter of 0.
        for (int i = 0; i < columns.Replicas.Length; i++)
        {
            bool known = type == FrameType.Stored && columns.To[i] == 0;
            if (!known && columns.Collected[i] > columns.To[i])
                throw FrameReader.Fault("A forgotten delete lies outside the vector.", offset);
            if (type != FrameType.Stored && columns.Base[i] > columns.To[i])
                throw FrameReader.Fault("The base lies above the vector.", offset);
            if (type != FrameType.Stored && columns.To[i] == 0)
                throw FrameReader.Fault("A replica without changes is named.", offset);
        }
    }

    private PartHeader ReadPart(ref MessagePackReader reader)
    {
        FrameReader.ExpectArray(ref reader, 6);
        Dot after = MessageCodec.ReadCursor(ref reader), next = MessageCodec.ReadCursor(ref reader);
        var header = new PartHeader(after, next, reader.ReadBoolean(), MessageCodec.ReadVector(ref reader, limits));
        if (!PartHeader.IsBefore(after, next) || (columns.CellCount == 0 && !header.IsLast))
            throw FrameReader.Fault("A part makes no progress.", reader.Consumed);
        for (int i = 0; i < columns.Replicas.Length; i++)
            if (header.Seen[columns.Replicas[i]] < columns.To[i])
                throw FrameReader.Fault("A part brings more than its sender saw.", reader.Consumed);
        return header;
    }

    private static StoredHeader ReadHeader(ref MessagePackReader reader)
    {
        int fields = reader.ReadArrayHeader();
        if (fields is not (6 or 7)) throw FrameReader.Fault("A header of 6 or 7 was expected.", reader.Consumed);
        var header = new StoredHeader
        {
            Revision = reader.ReadInt64(),
            Own = new ReplicaId(reader.ReadUInt64()),
            Claim = reader.ReadUInt64(),
            Clock = reader.ReadUInt64(),
            ForgottenRevision = reader.ReadInt64(),
        };
        int count = FrameReader.ReadCount(ref reader, 4096);
        var epochs = new (long, ulong)[count / 2];
        for (int i = 0; i < epochs.Length; i++) epochs[i] = (reader.ReadInt64(), reader.ReadUInt64());
        header.Epochs = epochs;
        if (fields == 6) return header;
        var lowered = new ReplicaId[FrameReader.ReadCount(ref reader, int.MaxValue)];
        for (int i = 0; i < lowered.Length; i++) lowered[i] = new ReplicaId(reader.ReadUInt64());
        header.Lowered = lowered;
        return header;
    }
}
