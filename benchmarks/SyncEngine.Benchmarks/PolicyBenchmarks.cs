using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using SyncEngine.Policies;

namespace SyncEngine.Benchmarks;

/// <summary>What does a decision cost with a policy of ten statements, and what does it cost to compile it?</summary>
[MemoryDiagnoser]
public class PolicyBenchmarks
{
    private const string Resource = "identity/0123456789abcdef0123456789abcdef/dataset/save";
    private const int Statements = 10;

    private static readonly PolicyContext _context = new()
    {
        IdentityId = "0123456789abcdef0123456789abcdef", Pool = "game", Role = "auth", DeviceId = "phone",
        Claims = new Dictionary<string, string> { ["tenant"] = "acme", ["plan"] = "pro" },
    };

    private string _json = "";
    private Policy _policy = null!;

    [GlobalSetup]
    public void Compile()
    {
        _json = Document();
        _policy = Policy.Parse(_json);
        if (!Allowed() || Denied() || Invoked()) throw new InvalidOperationException("The policy decides otherwise.");
    }

    /// <summary>Statement 0 allows it, and no other one says anything to it.</summary>
    [Benchmark(Baseline = true)]
    public bool Allowed() => _policy.Allows("dataset:write", Resource, _context);

    /// <summary>The last statement denies what the first one allows.</summary>
    [Benchmark]
    public bool Denied() => _policy.Allows(
        "dataset:write", "identity/0123456789abcdef0123456789abcdef/dataset/entitlements", _context);

    /// <summary>Every statement about invoking is looked at to its last segment, and none applies.</summary>
    [Benchmark]
    public bool Invoked() => _policy.Allows("resource:invoke", "api/orders/acme/nobody", _context);

    [Benchmark]
    public Policy Parse() => Policy.Parse(_json);

    private static string Document()
    {
        const string Invoking = """
            ,{"effect":"allow","action":"resource:invoke","resource":"api/orders/${claim.tenant}/itemN",
              "condition":{"equals":{"role":"auth","claim.plan":["pro","team"]}}}
            """;
        var text = new StringBuilder("""
            {"version":1,"statements":[
            {"effect":"allow","action":["dataset:*"],"resource":"identity/${identity.id}/dataset/*"}
            """);
        for (int i = 1; i < Statements - 1; i++)
            text.Append(Invoking.Replace("N", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
        return text.Append("""
            ,{"effect":"deny","action":["dataset:write"],"resource":"identity/*/dataset/entitlements"}]}
            """).ToString();
    }
}
