using SyncEngine.Storage;
using SyncEngine.Storage.Tests;

namespace SyncEngine.LiteDB.Tests;

public sealed class LiteDbStorageContractTests : StorageContract
{
    private readonly TemporaryStore _store = new();

    protected override ISyncStorage Open() => _store.Open();

    protected override void CleanUp() => _store.Dispose();
}
