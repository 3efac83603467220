using System.Text.Json.Nodes;
using SyncEngine.Hub.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Discovery and keys: rotation, and issuers that are away, slow, huge or wrong.</summary>
public sealed class IssuerTests
{
    [Fact]
    public async Task A_new_key_is_found_by_the_request_that_meets_it()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        ILoginProvider provider = issuer.Open();
        await LoginBench.AcceptedAsync(provider, issuer.Token());
        issuer.Rotate("second");
        await LoginBench.AcceptedAsync(provider, issuer.Token());
        await LoginBench.AcceptedAsync(provider, issuer.Token());
        Assert.Equal(2, issuer.Server.Calls(LoopbackIssuer.KeysPath));
    }

    [Fact]
    public async Task Keys_are_fetched_by_force_once_a_minute_at_most()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Bench.Clock.Freeze();
        ILoginProvider provider = issuer.Open();
        using var stranger = new TestKey("RS256", "stranger");
        for (int attempt = 0; attempt < 5; attempt++)
            await LoginBench.RefusedAsync(provider, stranger.Sign(issuer.Claims()), LoginReason.Signature);
        Assert.Equal(2, issuer.Server.Calls(LoopbackIssuer.KeysPath));

        issuer.Rotate("second");
        issuer.Bench.Clock.Advance(TimeSpan.FromSeconds(59));
        await LoginBench.RefusedAsync(provider, issuer.Token(), LoginReason.Signature);
        issuer.Bench.Clock.Advance(TimeSpan.FromSeconds(1));
        await LoginBench.AcceptedAsync(provider, issuer.Token());
        Assert.Equal(3, issuer.Server.Calls(LoopbackIssuer.KeysPath));
    }

    [Fact]
    public async Task Pools_share_an_issuer_and_its_fetches()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        await LoginBench.AcceptedAsync(issuer.Open(), issuer.Token());
        ILoginProvider other = issuer.Bench.Providers.Open("other", issuer.Definition());
        await LoginBench.AcceptedAsync(other, issuer.Token(claims => claims["nonce"] = issuer.Bench.Once.Issue("other")));
        Assert.Equal(1, issuer.Server.Calls(LoopbackIssuer.KeysPath));
    }

    [Fact]
    public async Task A_withdrawn_key_is_refused_after_half_a_day()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        ILoginProvider provider = issuer.Open();
        await LoginBench.AcceptedAsync(provider, issuer.Token());
        using var next = new TestKey("RS256", "next");
        issuer.Publish(next.Public());
        issuer.Bench.Clock.Advance(TimeSpan.FromHours(12));
        await LoginBench.RefusedAsync(provider, issuer.Token(), LoginReason.Signature);
    }

    [Fact]
    public async Task Known_keys_serve_for_a_day_while_the_issuer_is_away()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Bench.Clock.Freeze();
        ILoginProvider provider = issuer.Open();
        await LoginBench.AcceptedAsync(provider, issuer.Token());
        issuer.Server.On(LoopbackIssuer.DiscoveryPath, 503, "{}");
        issuer.Bench.Clock.Advance(TimeSpan.FromHours(23));
        await LoginBench.AcceptedAsync(provider, issuer.Token());
        issuer.Bench.Clock.Advance(TimeSpan.FromHours(1));
        await LoginBench.UnavailableAsync(provider, issuer.Token(), LoginReason.Unreachable);
    }

    [Fact]
    public async Task An_issuer_that_is_away_is_not_asked_again_for_ten_seconds()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Bench.Clock.Freeze();
        issuer.Server.On(LoopbackIssuer.DiscoveryPath, 503, "{}");
        ILoginProvider provider = issuer.Open();
        await LoginBench.UnavailableAsync(provider, issuer.Token(), LoginReason.Unreachable);
        await LoginBench.UnavailableAsync(provider, issuer.Token(), LoginReason.Unreachable);
        Assert.Equal(1, issuer.Server.Calls(LoopbackIssuer.DiscoveryPath));

        issuer.Server.On(LoopbackIssuer.DiscoveryPath, _ => (200, issuer.Discovery.ToJsonString()));
        issuer.Bench.Clock.Advance(TimeSpan.FromSeconds(10));
        await LoginBench.AcceptedAsync(provider, issuer.Token());
    }

    [Fact]
    public async Task An_unknown_key_while_the_issuer_is_away_is_not_called_invalid()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        ILoginProvider provider = issuer.Open();
        await LoginBench.AcceptedAsync(provider, issuer.Token());
        issuer.Rotate("second");
        issuer.Server.On(LoopbackIssuer.KeysPath, 500, "{}");
        await LoginBench.UnavailableAsync(provider, issuer.Token(), LoginReason.Unreachable);
    }

    [Fact]
    public async Task An_issuer_that_nobody_serves_is_unreachable()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        // Port 1 of loopback: nothing listens there, and nothing is given it by chance.
        ILoginProvider provider = issuer.Open(static definition => definition with { Issuer = "http://127.0.0.1:1" });
        await LoginBench.UnavailableAsync(provider, issuer.Token(), LoginReason.Unreachable);
    }

    [Theory]
    [InlineData(LoopbackIssuer.DiscoveryPath)]
    [InlineData(LoopbackIssuer.KeysPath)]
    public async Task An_issuer_that_never_answers_is_unreachable(string path)
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync(TimeSpan.FromSeconds(2));
        issuer.Server.Hang(path);
        await LoginBench.UnavailableAsync(issuer.Open(), issuer.Token(), LoginReason.Unreachable);
    }

    [Fact]
    public async Task A_caller_that_gives_up_ends_its_wait_only()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        issuer.Server.On(LoopbackIssuer.DiscoveryPath, async context =>
        {
            asked.TrySetResult();
            await answer.Task;
            await context.Response.Body.WriteAsync(System.Text.Encoding.UTF8.GetBytes(issuer.Discovery.ToJsonString()));
        });
        ILoginProvider provider = issuer.Open();
        using var giveUp = new CancellationTokenSource();
        Task<LoginResult> first = provider.ValidateAsync(new LoginToken(issuer.Token()), giveUp.Token);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Task<VerifiedLogin> second = LoginBench.AcceptedAsync(provider, issuer.Token());
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        answer.SetResult();
        await second;
        Assert.Equal(1, issuer.Server.Calls(LoopbackIssuer.DiscoveryPath));
    }

    [Theory]
    [InlineData(LoopbackIssuer.DiscoveryPath)]
    [InlineData(LoopbackIssuer.KeysPath)]
    public async Task A_huge_answer_is_not_read(string path)
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Server.On(path, 200, $$"""{"filling":"{{new string('x', ProviderHttp.AnswerBytesMax)}}"}""");
        await LoginBench.UnavailableAsync(issuer.Open(), issuer.Token(), LoginReason.ProviderUnusable);
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Server.Redirect(LoopbackIssuer.KeysPath, "/elsewhere");
        issuer.Server.On("/elsewhere", 200, new JsonObject { ["keys"] = new JsonArray(issuer.Key.Public()) }.ToJsonString());
        await LoginBench.UnavailableAsync(issuer.Open(), issuer.Token(), LoginReason.ProviderUnusable);
        Assert.Equal(0, issuer.Server.Calls("/elsewhere"));
    }

    [Theory]
    [InlineData("issuer", "\"http://127.0.0.1:9\"")]
    [InlineData("issuer", "null")]
    [InlineData("issuer", "5")]
    [InlineData("jwks_uri", "null")]
    [InlineData("jwks_uri", "\"http://keys.example.com/keys\"")]
    [InlineData("jwks_uri", "\"file:///etc/passwd\"")]
    [InlineData("jwks_uri", "\"not an address\"")]
    [InlineData("id_token_signing_alg_values_supported", "[\"HS256\",\"none\"]")]
    public async Task A_wrong_discovery_document_is_not_used(string member, string value)
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Discovery[member] = JsonNode.Parse(value);
        await LoginBench.UnavailableAsync(issuer.Open(), issuer.Token(), LoginReason.ProviderUnusable);
        Assert.Equal(0, issuer.Server.Calls(LoopbackIssuer.KeysPath));
    }

    [Fact]
    public async Task An_issuer_that_names_no_algorithm_signs_with_RS256()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Discovery.Remove("id_token_signing_alg_values_supported");
        await LoginBench.AcceptedAsync(issuer.Open(), issuer.Token());
        using var curve = new TestKey("ES256", "curve");
        issuer.Publish(curve.Public());
        await LoginBench.RefusedAsync(issuer.Open(), curve.Sign(issuer.Claims()), LoginReason.Algorithm);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"keys":5}""")]
    [InlineData("""{"keys":[]}""")]
    [InlineData("""{"keys":[5,null]}""")]
    [InlineData("""{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}""")]
    [InlineData("""{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}""")]
    public async Task A_wrong_key_set_is_not_used(string keys)
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Server.On(LoopbackIssuer.KeysPath, 200, keys);
        await LoginBench.UnavailableAsync(issuer.Open(), issuer.Token(), LoginReason.ProviderUnusable);
    }

    [Fact]
    public async Task Too_many_keys_are_not_used()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        issuer.Publish([.. Enumerable.Range(0, 65).Select(_ => issuer.Key.Public())]);
        LoginResult result = await LoginBench.UnavailableAsync(
            issuer.Open(), issuer.Token(), LoginReason.ProviderUnusable);
        Assert.Contains("more than 64 keys", result.Detail, StringComparison.Ordinal);
    }
}
