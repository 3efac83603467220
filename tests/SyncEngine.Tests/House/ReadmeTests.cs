using System.Runtime.CompilerServices;
using SyncEngine.LiteDB;
using Xunit;

namespace SyncEngine.Tests.House;

/// <summary>The README's hello world is the code between the marks below, word for word but for the file's path.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public async Task The_hello_world_compiles_and_runs()
    {
        string folder = Directory.CreateTempSubdirectory("syncengine-readme-").FullName;
        string path = Path.Combine(folder, "save.db");
        try
        {
            await Hello(path, new LiteDbStorageOptions { LocalStateFolder = folder });
            await using SyncStore reopened = await LiteDbSyncStore.OpenAsync(
                path, storageOptions: new LiteDbStorageOptions { LocalStateFolder = folder });
            Assert.Equal(5, reopened.Identity.Dataset("save").Counter("coins").Value);
            Assert.Equal(2, reopened.Identity.Dataset("save").Get<int>("level"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void The_README_shows_that_very_code()
    {
        string here = File.ReadAllText(ThisFile());
        string readme = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../README.md"));
        Assert.Equal(Sample(readme, "```csharp", "```").Replace("\"save.db\"", "path, null, local"),
            Sample(here, "        // hello\n", "        // end\n"));
    }

    private static async Task Hello(string path, LiteDbStorageOptions local)
    {
        // hello
        await using var store = await LiteDbSyncStore.OpenAsync(path, null, local);   // first open mints a guest, offline
        var save = store.Identity.Dataset("save");

        save["player"] = "Ann";                        // a register: visible at once, durable with the next group commit
        save.Counter("coins").Add(10);                 // merges as +10
        save.Max("best").Raise(9001);
        save.Set("badges").Add("first-win");
        save.Map("settings")["volume"] = 0.8;
        save.List("inventory").Add("sword");
        await save.WriteAsync(w => { w["level"] = 2; w.Counter("coins").Add(-5); });   // one transaction, durable on return

        using var changes = save.Changes.Subscribe(set => Console.WriteLine($"{set.Count} changes from {set.Origin}"));
        foreach (var conflict in save.Conflicts) Console.WriteLine(save.Explain(conflict.Key));

        byte[] news = await store.ExportAsync();       // bytes for another device of the same identity; it calls ApplyAsync
        // end
        Assert.NotEmpty(news);
    }

    private static string Sample(string text, string begin, string end)
    {
        int from = text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        return string.Join('\n', text[from..text.IndexOf(end, from, StringComparison.Ordinal)]
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
    }

    private static string ThisFile([CallerFilePath] string here = "") => here;
}
