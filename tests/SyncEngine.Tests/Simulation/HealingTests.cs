using SyncEngine.Tests.Model;
using Xunit;

namespace SyncEngine.Tests.Simulation;

/// <summary>The engine against the specification of copied files, with the fingerprint switched off.</summary>
public class HealingTests
{
    private const int Share = 300;

    [Fact]
    public void Engine_and_model_survive_random_copies_and_rollbacks_alike()
    {
        for (int seed = 0; seed < Share; seed++) Check(seed);
    }

    [Fact]
    public void Model_alone_survives_many_more()
    {
        for (int seed = 100_000; seed < 102_000; seed++)
        {
            (HealingHistory history, string? fault) = RunModel(seed);
            using (history) Assert.True(fault is null, $"seed {seed}: {fault}");
        }
    }

    internal static void Check(int seed)
    {
        (HealingHistory modelled, string? modelFault) = RunModel(seed);
        (HealingHistory real, string? fault) =
            HealingHistory.Run(seed, i => new EngineHealingSite(((ulong)seed << 8) + (ulong)i));
        using (modelled)
        using (real)
        {
            Assert.True(modelFault is null, $"seed {seed}, model: {modelFault}");
            Assert.True(fault is null, $"seed {seed}: {fault}");
            Assert.True(modelled.Known.SetEquals(real.Known), $"seed {seed}: engine and model know different writes");
            Assert.Equal(modelled.View, real.View);
        }
    }

    private static (HealingHistory, string?) RunModel(int seed)
    {
        var random = new Random(seed);
        return HealingHistory.Run(seed, i => new ModelHealingSite(new HealModel(random, $"{(char)('A' + i)}")));
    }
}
