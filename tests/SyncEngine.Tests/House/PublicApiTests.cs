using System.Runtime.CompilerServices;
using PublicApiGenerator;
using Xunit;

namespace SyncEngine.Tests.House;

/// <summary>
/// The public surface is an approved text: a change to it is a change to PublicApi.approved.txt, in the same commit.
/// Run the
/// test with SYNCENGINE_APPROVE=1 to write the file.
/// </summary>
public sealed class PublicApiTests
{
    [Fact]
    public void The_public_surface_is_the_approved_one()
    {
        var options = new ApiGeneratorOptions { IncludeAssemblyAttributes = false };
        string now = typeof(SyncStore).Assembly.GeneratePublicApi(options).ReplaceLineEndings("\n") + "\n"
            + typeof(SyncEngine.LiteDB.LiteDbSyncStore).Assembly.GeneratePublicApi(options).ReplaceLineEndings("\n") + "\n"
            + typeof(SyncEngine.Hosting.HostedSyncStore).Assembly.GeneratePublicApi(options).ReplaceLineEndings("\n") + "\n"
            + typeof(SyncEngine.Testing.Simulation).Assembly.GeneratePublicApi(options).ReplaceLineEndings("\n");
        string file = Path.Combine(Path.GetDirectoryName(ThisFile())!, "PublicApi.approved.txt");
        if (Environment.GetEnvironmentVariable("SYNCENGINE_APPROVE") == "1") File.WriteAllText(file, now);
        Assert.Equal(File.ReadAllText(file).ReplaceLineEndings("\n"), now);
    }

    private static string ThisFile([CallerFilePath] string here = "") => here;
}
