using SyncEngine.Storage;
using SyncEngine.Storage.Tests;

namespace SyncEngine.Tests.Storage;

public sealed class MemoryDiskContractTests : StorageContract
{
    private readonly MemoryDisk _disk = new();

    protected override ISyncStorage Open() => _disk.Open();

    protected override void CleanUp()
    {
    }
}
