using SyncEngine.Hub.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>Logins at a real provider of OpenID Connect.</summary>
public sealed class OidcProviderTests(OidcProvider provider) : IClassFixture<OidcProvider>
{
    [OidcProviderFact]
    public async Task A_person_logs_in_with_each_algorithm()
    {
        using var bench = new LoginBench();
        foreach (string algorithm in new[] { "RS256", "PS256", "ES256" })
        {
            string nonce = bench.Once.Issue();
            (string token, string access) = await provider.LogInAsync("app-" + algorithm, "ada", nonce);
            VerifiedLogin login = await LoginBench.AcceptedAsync(Open(bench, algorithm), token, access);
            Assert.Equal(("real", "ada", nonce), (login.Provider, login.Subject, login.Nonce));
            Assert.Equal("ada@example.com", login.Claims["email"]);
            Assert.Equal("true", login.Claims["email_verified"]);
            Assert.InRange(login.Expires, bench.Clock.GetUtcNow(), bench.Clock.GetUtcNow().AddHours(24));
        }
    }

    [OidcProviderFact]
    public async Task What_is_wrong_with_a_real_token_is_refused()
    {
        using var bench = new LoginBench();
        ILoginProvider ours = Open(bench, "RS256");
        (string token, string access) = await provider.LogInAsync("app-RS256", "ada", bench.Once.Issue());
        await LoginBench.RefusedAsync(Open(bench, "ES256"), token, LoginReason.Audience);
        await LoginBench.AcceptedAsync(ours, token, access);
        await LoginBench.RefusedAsync(ours, token, LoginReason.Nonce, access);

        (string foreign, _) = await provider.LogInAsync("app-RS256", "ada", "not-of-this-hub");
        await LoginBench.RefusedAsync(ours, foreign, LoginReason.Nonce);
        (string without, _) = await provider.LogInAsync("app-RS256", "ada", null);
        await LoginBench.RefusedAsync(ours, without, LoginReason.Nonce);
        await LoginBench.RefusedAsync(ours, access, LoginReason.Malformed);

        (string late, _) = await provider.LogInAsync("app-RS256", "ada", bench.Once.Issue());
        bench.Clock.Advance(TimeSpan.FromHours(2));
        await LoginBench.RefusedAsync(ours, late, LoginReason.Expired);
    }

    [OidcProviderFact]
    public async Task New_keys_are_taken_after_one_forced_refresh_and_the_old_ones_no_more()
    {
        using var bench = new LoginBench();
        ILoginProvider ours = Open(bench, "RS256");
        (string first, _) = await provider.LogInAsync("app-RS256", "ada", bench.Once.Issue());
        (string old, _) = await provider.LogInAsync("app-RS256", "ada", bench.Once.Issue());
        await LoginBench.AcceptedAsync(ours, first);

        await provider.RotateAsync();
        (string second, _) = await provider.LogInAsync("app-RS256", "ada", bench.Once.Issue());
        Assert.NotEqual(first.Split('.')[0], second.Split('.')[0]);
        await LoginBench.AcceptedAsync(ours, second);
        await LoginBench.RefusedAsync(ours, old, LoginReason.Signature);

        // The one refresh of this minute is used up: another change is noticed a minute later.
        await provider.RotateAsync();
        (string third, _) = await provider.LogInAsync("app-RS256", "ada", bench.Once.Issue());
        await LoginBench.RefusedAsync(ours, third, LoginReason.Signature);
        bench.Clock.Advance(TimeSpan.FromMinutes(1));
        await LoginBench.AcceptedAsync(ours, third);
    }

    private ILoginProvider Open(LoginBench bench, string algorithm) => bench.Providers.Open(LoginBench.Pool, new()
    {
        Name = "real",
        Kind = ProviderKind.OpenIdConnect,
        Issuer = provider.Issuer,
        ClientIds = ["app-" + algorithm],
        Claims = ["email", "email_verified"],
    });
}
