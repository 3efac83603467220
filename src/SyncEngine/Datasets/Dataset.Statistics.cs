namespace SyncEngine.Datasets;

public sealed partial class Dataset
{
    /// <summary>How much the dataset holds. Costs a pass over what is in conflict.</summary>
    public DatasetStatistics GetStatistics()
    {
        lock (_gate)
        {
            int conflicts = 0;
            foreach (int cell in _state.Contested)
                if (_state.Table.IsInUse(cell) && IsConflicted(cell)) conflicts++;
            return new DatasetStatistics(
                _state.LiveRecords, conflicts, _state.Tombstones, _state.LiveBytes, _logBytes + _snapshotBytes);
        }
    }
}
