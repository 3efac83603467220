using SyncEngine.Causality;

namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    private bool _isShared;

    private string SharedRow => RowPrefixesOf(Number)[1];

    /// <summary>Notes, for good, that others than hubs get what is here: somebody may write on it, or delete it, of whom no hub
    /// knows yet.</summary>
    internal void NoteShared()
    {
        lock (_gate)
        {
            if (_isShared || _state.Own < 0) return;
            _isShared = true;
            Context.Journal?.SetRows([new KeyValuePair<string, byte[]?>(SharedRow, [1])]);
        }
    }

    /// <summary>
    /// Writes anew, with right times and as one transaction, values that would be shown for a time which has not come: own ones
    /// that nobody has got, more than five minutes ahead, and those that a hub refused for their times. Who saw them has seen
    /// no less. Own ones get the time at which they were made, where the clock is as wrong as it was then; the others this time.
    /// Counters, sets, greatest, least and deletes stay as they are: no time orders them.
    /// </summary>
    /// <param name="known">What the hub has.</param>
    /// <param name="refused">What it refused.</param>
    /// <param name="clock">The clock, corrected by the hub's.</param>
    /// <returns>How many were written anew; null where the storage fails, and nothing can be written.</returns>
    internal int? Restamp(VersionVector known, IReadOnlyCollection<Dot> refused, CorrectedClock clock)
    {
        lock (_gate)
        {
            if (Context.Journal?.Failure is not null) return null;
            if (_state.HasGaps) return 0;
            long now = clock.GetUtcNow().ToUnixTimeMilliseconds(), shift = (long)clock.Offset.TotalMilliseconds;
            var dots = new HashSet<(int Replica, long Counter)>();
            var cells = new List<int>();
            if (_state.Own >= 0 && !_isShared)
            {
                _state.ListLater(_state.Own, known[_state.Replicas.Id(_state.Own)],
                    now + CorrectedClock.ErrorMilliseconds, dots, cells);
            }

            foreach (Dot dot in refused)
            {
                int cell = _state.CellOf(dot);
                if (cell >= 0) _state.AddIfLater(cell, _state.Replicas.Find(dot.Replica), dot.Counter, now, dots, cells);
            }

            if (dots.Count == 0) return 0;
            EnterLocked();
            BeginWriting();
            foreach (int cell in cells) _state.Restamp(cell, dots, now, shift);
            CompleteLocked(default);
            return dots.Count;
        }
    }
}
