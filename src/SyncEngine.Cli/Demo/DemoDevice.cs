using SyncEngine.Causality;
using SyncEngine.Cli.Json;
using SyncEngine.Datasets;

namespace SyncEngine.Cli.Demo;

/// <summary>A device of the demo: a name and a real file.</summary>
internal sealed class DemoDevice : IAsyncDisposable
{
    public const string DatasetName = "save";

    private DemoDevice(string name, string path, SyncStore store)
    {
        (Name, Path, Store) = (name, path, store);
        Save = store.Identity.Dataset(DatasetName);
    }

    public string Name { get; }

    public string Path { get; }

    public SyncStore Store { get; private set; }

    public Dataset Save { get; private set; }

    public static async Task<DemoDevice> OpenAsync(string folder, string name, Terminal terminal, TimeProvider clock)
    {
        string path = System.IO.Path.Combine(folder, name + ".db");
        return new DemoDevice(
            name, path, await StoreFile.OpenAsync(path, terminal, new SyncStoreOptions { TimeProvider = clock }));
    }

    /// <summary>Closes the file and reads it again, so that what follows is about what is durable.</summary>
    public async Task ReopenAsync(Terminal terminal)
    {
        await Store.DisposeAsync();
        Store = await StoreFile.OpenAsync(Path, terminal);
        Save = Store.Identity.Dataset(DatasetName);
    }

    /// <summary>The dataset as export prints it.</summary>
    public byte[] Export()
    {
        using var bytes = new MemoryStream();
        using (var writer = new RecordWriter(bytes)) writer.Write(Save);
        return bytes.ToArray();
    }

    /// <summary>Whether the change is one of this device's own.</summary>
    public bool Wrote(ReplicaId replica) => replica == Save.ReplicaId;

    public ValueTask DisposeAsync() => Store.DisposeAsync();
}
