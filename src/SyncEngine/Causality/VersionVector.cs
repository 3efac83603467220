using System.Collections;

namespace SyncEngine.Causality;

/// <summary>
/// For each replica the highest counter seen: what a dataset has, in a form that two devices can compare. Immutable.
/// </summary>
/// <remarks>Reading a component costs O(log n), comparing and joining O(n) in the number of replicas. After Parker et
/// al.,
/// "Detection of Mutual Inconsistency in Distributed Systems" (1983).</remarks>
public sealed class VersionVector : IReadOnlyCollection<Dot>, IEquatable<VersionVector>
{
    private readonly Dot[] _dots;

    /// <summary>Makes a vector of the given components; replicas in any order, counters above zero.</summary>
    /// <exception cref="ArgumentException">A replica is named twice, or a counter is not positive.</exception>
    public VersionVector(IEnumerable<Dot> components)
    {
        ArgumentNullException.ThrowIfNull(components);
        _dots = components.ToArray();
        Array.Sort(_dots, static (a, b) => a.Replica.CompareTo(b.Replica));
        for (int i = 0; i < _dots.Length; i++)
        {
            if (_dots[i].Counter <= 0)
                throw new ArgumentException("A version vector counts from 1.", nameof(components));
            if (i > 0 && _dots[i].Replica == _dots[i - 1].Replica)
                throw new ArgumentException($"Replica {_dots[i].Replica} is named twice.", nameof(components));
        }
    }

    private VersionVector(Dot[] sorted) => _dots = sorted;

    /// <summary>The vector of a dataset that has nothing.</summary>
    public static VersionVector Empty { get; } = new(Array.Empty<Dot>());

    /// <summary>How many replicas it names.</summary>
    public int Count => _dots.Length;

    /// <summary>The highest counter seen of a replica; 0 for a replica never seen.</summary>
    public long this[ReplicaId replica]
    {
        get
        {
            int low = 0, high = _dots.Length - 1;
            while (low <= high)
            {
                int middle = (low + high) >>> 1;
                int order = _dots[middle].Replica.CompareTo(replica);
                if (order == 0) return _dots[middle].Counter;
                if (order < 0) low = middle + 1;
                else high = middle - 1;
            }

            return 0;
        }
    }

    /// <summary>The components in order of replica id.</summary>
    public ReadOnlySpan<Dot> Span => _dots;

    /// <summary>Wraps components that are already sorted, distinct and positive.</summary>
    internal static VersionVector FromSorted(Dot[] sorted) => new(sorted);

    /// <summary>Whether the change is among those seen.</summary>
    public bool Covers(Dot dot) => this[dot.Replica] >= dot.Counter;

    /// <summary>Whether <paramref name="other"/> has seen everything that this has.</summary>
    public bool IsAtMost(VersionVector other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach (Dot dot in _dots)
            if (!other.Covers(dot)) return false;
        return true;
    }

    /// <summary>The least vector that has seen what either has.</summary>
    public VersionVector Join(VersionVector other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var joined = new List<Dot>(Math.Max(Count, other.Count));
        int i = 0, j = 0;
        while (i < Count || j < other.Count)
        {
            int order = i == Count ? 1 : j == other.Count ? -1 : _dots[i].Replica.CompareTo(other._dots[j].Replica);
            if (order < 0) joined.Add(_dots[i++]);
            else if (order > 0) joined.Add(other._dots[j++]);
            else
            {
                joined.Add(new Dot(_dots[i].Replica, Math.Max(_dots[i].Counter, other._dots[j].Counter)));
                i++;
                j++;
            }
        }

        return new VersionVector(joined.ToArray());
    }

    /// <inheritdoc/>
    public bool Equals(VersionVector? other) => other is not null && _dots.AsSpan().SequenceEqual(other._dots);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as VersionVector);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (Dot dot in _dots) hash.Add(dot);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<Dot> GetEnumerator() => ((IEnumerable<Dot>)_dots).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The components in braces.</summary>
    public override string ToString() => "{" + string.Join(", ", _dots) + "}";
}
