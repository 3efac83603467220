namespace SyncEngine.Datasets;

/// <summary>How much a dataset holds, as of one moment.</summary>
/// <param name="Records">Records that have something to read.</param>
/// <param name="Conflicts">Registers and fields where concurrent writes left different values.</param>
/// <param name="Tombstones">Deletes that are remembered, so that peers who missed them delete too.</param>
/// <param name="LiveBytes">Bytes of keys, fields and values that have something to read.</param>
/// <param name="StoredBytes">Bytes of frames stored in the file; 0 in memory.</param>
public readonly record struct DatasetStatistics(
    int Records, int Conflicts, int Tombstones, long LiveBytes, long StoredBytes);
