using SyncEngine.Hub.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>What every test of logins needs: a clock, nonces, uses, and the providers made with them.</summary>
internal sealed class LoginBench : IDisposable
{
    public const string Pool = "main";
    public const string HubIssuer = "https://hub.example.com/sync";

    public LoginBench(TimeSpan? callTimeout = null) =>
        Providers = new LoginProviders(HubIssuer, Once, Once, Clock, callTimeout);

    public TestClock Clock { get; } = new();

    public UsedOnce Once { get; } = new();

    public LoginProviders Providers { get; }

    public static async Task<LoginResult> AskAsync(ILoginProvider provider, string token, string? accessToken = null)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await provider.ValidateAsync(new LoginToken(token, accessToken), limit.Token);
    }

    public static async Task<VerifiedLogin> AcceptedAsync(ILoginProvider provider, string token, string? accessToken = null)
    {
        LoginResult result = await AskAsync(provider, token, accessToken);
        Assert.Equal((LoginOutcome.Accepted, LoginReason.None), (result.Outcome, result.Reason));
        Assert.Null(result.PublicText);
        return Assert.IsType<VerifiedLogin>(result.Login);
    }

    public static async Task RefusedAsync(
        ILoginProvider provider, string token, LoginReason reason, string? accessToken = null)
    {
        LoginResult result = await AskAsync(provider, token, accessToken);
        Assert.Equal((LoginOutcome.Refused, reason), (result.Outcome, result.Reason));
        Assert.Equal("This token is not accepted: get a new one and try again.", result.PublicText);
        Assert.Null(result.Login);
    }

    public static async Task<LoginResult> UnavailableAsync(ILoginProvider provider, string token, LoginReason reason)
    {
        LoginResult result = await AskAsync(provider, token);
        Assert.Equal((LoginOutcome.Unavailable, reason), (result.Outcome, result.Reason));
        Assert.Equal("The login provider cannot be asked now: try again later.", result.PublicText);
        Assert.Null(result.Login);
        return result;
    }

    public void Dispose() => Providers.Dispose();
}
