using Microsoft.Extensions.Options;
using SyncEngine.Hub.Tests.Endpoints;
using Xunit;

namespace SyncEngine.Hub.Tests;

public sealed class SyncHubOptionsTests
{
    [Fact]
    public void Defaults_are_sound() => Assert.True(new SyncHubOptionsCheck().Validate(null, new SyncHubOptions()).Succeeded);

    [Fact]
    public void Every_fault_is_named()
    {
        ValidateOptionsResult result = new SyncHubOptionsCheck().Validate(null, new SyncHubOptions
        {
            DataFolder = " ", Issuer = "http://hub.example.org", Audience = "", AdminPort = 70_000, AdminKey = "short",
            RatePerAddress = new RequestRate { Burst = -1 }, RatePerPool = new RequestRate { Burst = 1, PerSecond = double.NaN },
            AdminRatePerAddress = null!, BodyBytesPerSecondMin = 0, BodyGrace = TimeSpan.FromSeconds(1),
        });
        foreach (string option in (string[])["DataFolder", "Issuer", "Audience", "AdminPort", "AdminKey", "RatePerAddress:Burst",
            "RatePerPool:PerSecond", "AdminRatePerAddress:Burst", "BodyBytesPerSecondMin", "BodyGrace"])
            Assert.Contains(result.Failures!, failure => failure.StartsWith($"SyncHub:{option} ", StringComparison.Ordinal));
        Assert.Equal(10, result.Failures!.Count());
        Assert.DoesNotContain("short", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_or_stream_needs_an_address_and_a_secret()
    {
        var options = new SyncHubOptions();
        options.Cognito.Functions["check"] = new CognitoReceiver { Url = new Uri("http://example.org/"), Secret = "secret" };
        options.Cognito.Streams["events"] = new CognitoReceiver();
        ValidateOptionsResult result = new SyncHubOptionsCheck().Validate(null, options);
        foreach (string option in (string[])["Functions:check:Url", "Functions:check:Secret", "Streams:events:Url",
            "Streams:events:Secret"])
            Assert.Contains(result.Failures!, failure => failure.StartsWith(
                $"SyncHub:Cognito:{option} ", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_fault_of_the_Cognito_wire_compatible_API_is_named()
    {
        var options = new SyncHubOptions();
        options.Cognito.Port = 0;
        options.Cognito.Region = "no region";
        var key = new CognitoDeveloperKey { AccessKeyId = "ASIA000000000000", SecretAccessKey = "short" };
        options.Cognito.DeveloperKeys.Add(key);
        options.Cognito.DeveloperKeys.Add(key);
        options.Cognito.OpenIdConnectProviders.Add(new CognitoOpenIdConnectProvider { Issuer = "http://login.example.org" });
        ValidateOptionsResult result = new SyncHubOptionsCheck().Validate(null, options);
        foreach (string option in (string[])["Port", "Region", "DeveloperKeys:AccessKeyId", "DeveloperKeys:SecretAccessKey",
            "DeveloperKeys", "OpenIdConnectProviders:Issuer", "OpenIdConnectProviders:ClientIds"])
            Assert.Contains(result.Failures!,
                failure => failure.StartsWith($"SyncHub:Cognito:{option} ", StringComparison.Ordinal));
        Assert.DoesNotContain("short", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_app_does_not_start_with_a_fault()
    {
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(
            () => AdminApp.StartAsync(static options => options.AdminPort = 0));
        Assert.Contains("SyncHub:AdminPort", failure.Message, StringComparison.Ordinal);
    }
}
