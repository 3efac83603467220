namespace SyncEngine.LiteDB.Tests;

/// <summary>A folder of its own for one test's stores on the real disk.</summary>
internal sealed class TemporaryStore : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("store").FullName;

    public string Path => In("store.db");

    public LiteDbStorageOptions Options => new() { LocalStateFolder = In("state") };

    public string In(string name) => System.IO.Path.Combine(_folder, name);

    public LiteDbStorage Open() => LiteDbStorage.Open(Path, Options);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
