namespace SyncEngine.LiteDB.Tests.Simulation;

/// <summary>A file's content as the process sees it, and what of it would survive a power cut.</summary>
internal sealed class SimulatedFile(SimulatedDisk disk, int identity)
{
    private const int Sector = 512;

    private readonly List<Change> _unsynced = new();
    private Content _now = new();
    private Content _durable = new();

    public int Identity => identity;

    public long Length => _now.Length;

    public int ReadAt(long offset, Span<byte> buffer)
    {
        disk.Step(isRead: true);
        return _now.Read((int)offset, buffer);
    }

    public void WriteAt(long offset, ReadOnlySpan<byte> bytes)
    {
        // The write during which the power goes may reach the disk, too.
        if (disk.CutsNow) Apply(new Change((int)offset, bytes.ToArray()));
        disk.Step();
        disk.Reserve(offset + bytes.Length - _now.Length);
        disk.BytesWritten += bytes.Length;
        Apply(new Change((int)offset, bytes.ToArray()));
    }

    public void SetLength(long length)
    {
        disk.Step();
        disk.Reserve(length - _now.Length);
        Apply(new Change((int)length, null));
    }

    public void FlushToDisk()
    {
        disk.Step();
        disk.Flushes++;
        foreach (var change in _unsynced) change.ApplyTo(_durable);
        _unsynced.Clear();
    }

    public void LosePower(Random random, bool keepNothing)
    {
        if (!keepNothing)
        {
            foreach (var change in _unsynced)
            {
                if (random.Next(2) == 0) continue;
                if (random.Next(100) < disk.TornPercent) change.ApplyTornTo(_durable, random);
                else change.ApplyTo(_durable);
            }
        }

        _unsynced.Clear();
        _now = _durable.Clone();
    }

    private void Apply(Change change)
    {
        change.ApplyTo(_now);
        _unsynced.Add(change);
    }

    /// <summary>Bytes written at an offset, or, without bytes, a new length.</summary>
    private readonly record struct Change(int Offset, byte[]? Bytes)
    {
        public void ApplyTo(Content content)
        {
            if (Bytes is null) content.SetLength(Offset);
            else content.Write(Offset, Bytes);
        }

        /// <summary>Some sectors reach the disk, others do not, in no particular order.</summary>
        public void ApplyTornTo(Content content, Random random)
        {
            // A write that nearly made it is the harder case: most of its parts look sound.
            var lostPercent = random.Next(2) == 0 ? 5 : 50;
            for (var start = 0; start < Bytes?.Length; start += Sector)
            {
                if (random.Next(100) < lostPercent) continue;
                content.Write(Offset + start, Bytes.AsSpan(start, Math.Min(Sector, Bytes.Length - start)));
            }
        }
    }

    private sealed class Content
    {
        private byte[] _bytes = [];

        public int Length { get; private set; }

        public int Read(int offset, Span<byte> buffer)
        {
            var count = Math.Max(0, Math.Min(buffer.Length, Length - offset));
            _bytes.AsSpan(Math.Min(offset, Length), count).CopyTo(buffer);
            return count;
        }

        public void Write(int offset, ReadOnlySpan<byte> bytes)
        {
            Grow(offset + bytes.Length);
            bytes.CopyTo(_bytes.AsSpan(offset));
        }

        public void SetLength(int length)
        {
            if (length < Length) _bytes.AsSpan(length, Length - length).Clear();
            Grow(length);
            Length = length;
        }

        public Content Clone() => new() { _bytes = (byte[])_bytes.Clone(), Length = Length };

        private void Grow(int length)
        {
            if (length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(length, _bytes.Length * 2));
            Length = Math.Max(Length, length);
        }
    }
}
