using System.Text.Json;
using SyncEngine.Hub.Identities;

namespace SyncEngine.Hub.Syncing;

/// <summary>
/// Which revision a dataset had at some moments of the hub's own clock, the oldest first. So the hub knows how long it has had a
/// delete: devices' clocks tell only when it was made, which may be long before it came.
/// </summary>
internal sealed class DeleteMarks
{
    /// <summary>Marks are set so many times an age; a delete may be kept by that part of it longer.</summary>
    private const int MarksAnAge = 8;

    private readonly List<Mark> _marks;

    private DeleteMarks(List<Mark> marks) => _marks = marks;

    public static DeleteMarks Decode(byte[]? row) =>
        new(row is null ? [] : JsonSerializer.Deserialize<List<Mark>>(row, RowJson.Options) ?? []);

    /// <summary>The row to keep; null for none.</summary>
    public byte[]? Encode() => _marks.Count == 0 ? null : JsonSerializer.SerializeToUtf8Bytes(_marks, RowJson.Options);

    /// <summary>Drops the marks that are older than an age, and sets one if it is time for it.</summary>
    /// <param name="revision">The dataset's revision.</param>
    /// <param name="now">The hub's time.</param>
    /// <param name="age">How long deletes are kept.</param>
    /// <param name="through">The revision that the dataset had an age ago; 0 if none was noted since the last time.</param>
    /// <returns>Whether anything changed.</returns>
    public bool Pass(long revision, DateTimeOffset now, TimeSpan age, out long through)
    {
        long milliseconds = now.ToUnixTimeMilliseconds(), each = (long)(age / MarksAnAge).TotalMilliseconds;

        // A clock that was ahead has set them.
        int dropped = _marks.RemoveAll(mark => mark.Milliseconds > milliseconds);
        through = 0;
        while (_marks.Count > 0 && milliseconds - _marks[0].Milliseconds >= age.TotalMilliseconds)
        {
            through = _marks[0].Revision;
            _marks.RemoveAt(0);
            dropped++;
        }

        bool isDue = revision > through && (_marks.Count == 0
            || (_marks[^1].Revision < revision && milliseconds - _marks[^1].Milliseconds >= each));
        if (isDue) _marks.Add(new Mark(revision, milliseconds));
        return isDue || dropped > 0;
    }

    /// <summary>A dataset's revision at a moment, in milliseconds since 1970.</summary>
    internal readonly record struct Mark(long Revision, long Milliseconds);
}
