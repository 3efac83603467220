using Microsoft.Extensions.Options;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Push;

namespace SyncEngine.Hub;

/// <summary>Finds what is wrong with the options, all of it at once.</summary>
internal sealed class SyncHubOptionsCheck : IValidateOptions<SyncHubOptions>
{
    private const int RateMax = 1_000_000;
    private const int AudienceCharactersMax = 256;
    private const int KeyCharactersMin = 20;
    private const int KeyCharactersMax = 256;
    private const int DeveloperKeysMax = 32;
    private static readonly TimeSpan _graceMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _graceMax = TimeSpan.FromMinutes(5);

    public ValidateOptionsResult Validate(string? name, SyncHubOptions options)
    {
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(options.DataFolder)) Add("DataFolder", "name the folder of the hub's file");
        if (options.Issuer is { } issuer && (!ProviderCheck.IsAddress(issuer) || issuer.EndsWith('/')))
            Add("Issuer", "give an https address (http only on this machine) without query and without a slash at the end");
        if (options.Audience is not { Length: > 0 and <= AudienceCharactersMax })
            Add("Audience", $"give 1 to {AudienceCharactersMax} characters");
        if (options.AdminPort is < 1 or > ushort.MaxValue) Add("AdminPort", "give a port from 1 to 65535, or leave it out");
        if (options.AdminKey is { } key && (key.Length is < KeyCharactersMin or > KeyCharactersMax || !key.All(IsVisible)))
            Add("AdminKey", $"give {KeyCharactersMin} to {KeyCharactersMax} visible ASCII characters without blanks");
        CheckRate("RatePerAddress", options.RatePerAddress);
        CheckRate("RatePerPool", options.RatePerPool);
        CheckRate("AdminRatePerAddress", options.AdminRatePerAddress);
        if (!(options.BodyBytesPerSecondMin is > 0 and <= RateMax))
            Add("BodyBytesPerSecondMin", "give a number above 0, up to 1000000");
        if (options.BodyGrace <= _graceMin || options.BodyGrace > _graceMax)
            Add("BodyGrace", "give more than 00:00:01, up to 00:05:00");
        CheckBounds(options, Add);
        CheckCognito(options.Cognito, Add);
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);

        void Add(string option, string advice) => faults.Add($"{SyncHubOptions.Section}:{option} is not usable: {advice}.");

        void CheckRate(string option, RequestRate? rate)
        {
            if (rate is null || rate.Burst is < 0 or > RateMax) Add(option + ":Burst", "give 0 (no limit) to 1000000");
            else if (rate.Burst > 0 && !(rate.PerSecond is > 0 and <= RateMax))
                Add(option + ":PerSecond", "give a number above 0, up to 1000000");
        }
    }

    private static void CheckBounds(SyncHubOptions options, Action<string, string> add)
    {
        HubMemoryOptions memory = options.Memory;
        Whole("Memory:IdleIdentitiesMax", memory.IdleIdentitiesMax, 0, 1_000_000);
        Time("Memory:IdleTime", memory.IdleTime, TimeSpan.Zero, TimeSpan.FromDays(1));
        Whole("Memory:FrameBytesMax", memory.FrameBytesMax, 16 << 20, 1 << 30);
        Whole("Memory:TransferBytesMax", memory.TransferBytesMax, memory.FrameBytesMax, 64L << 30);
        Time("DeletesKept", options.DeletesKept, TimeSpan.FromDays(1), TimeSpan.FromDays(3_660));
        Whole("Feed:EntriesMax", options.Feed.EntriesMax, 1_000, 1_000_000_000);
        Time("Feed:Age", options.Feed.Age, TimeSpan.FromMinutes(1), TimeSpan.FromDays(3_660));
        Whole("Feed:WaitingMax", options.Feed.WaitingMax, 1_000, 10_000_000);
        Time("Webhooks:Timeout", options.Webhooks.Timeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        Whole("Webhooks:ChangesPerPayloadMax", options.Webhooks.ChangesPerPayloadMax, 1, ChangeFeed.PageEntriesMax);
        Time("Webhooks:GiveUpAfter", options.Webhooks.GiveUpAfter, TimeSpan.Zero, TimeSpan.FromDays(30));
        Time("Webhooks:SecretOverlap", options.Webhooks.SecretOverlap, TimeSpan.Zero, TimeSpan.FromDays(30));
        Whole("Webhooks:HooksPerPoolMax", options.Webhooks.HooksPerPoolMax, 1, 1_000);
        Time("DevicePush:Window", options.DevicePush.Window, TimeSpan.Zero, TimeSpan.FromHours(1));
        Whole("DevicePush:AttemptsMax", options.DevicePush.AttemptsMax, 1, 100);
        Whole("DevicePush:ConcurrencyMax", options.DevicePush.ConcurrencyMax, 1, 1_000);
        Whole("DevicePush:WaitingMax", options.DevicePush.WaitingMax, 1, 10_000_000);
        Whole("Events:StreamsPerDeviceMax", options.Events.StreamsPerDeviceMax, 1, 1_000);
        Time("Events:Heartbeat", options.Events.Heartbeat, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Whole("Events:ResumeEntriesMax", options.Events.ResumeEntriesMax, 0, 1_000_000);
        Time("Hooks:TimeLimit", options.Hooks.TimeLimit, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(5));

        void Whole(string option, long value, long least, long most)
        {
            if (value < least || value > most) add(option, FormattableString.Invariant($"give {least} to {most}"));
        }

        void Time(string option, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most) add(option, $"give {least:c} to {most:c}");
        }
    }

    private static void CheckCognito(CognitoOptions options, Action<string, string> add)
    {
        if (options.Port is < 1 or > ushort.MaxValue) add("Cognito:Port", "give a port from 1 to 65535, or leave it out");
        foreach (string region in options.OtherRegions.Prepend(options.Region))
            if (!IsRegion(region)) add("Cognito:Region", "give 1 to 18 letters, digits, _ and -, for other regions too");
        if (options.DeveloperKeys.Count > DeveloperKeysMax)
            add("Cognito:DeveloperKeys", $"give at most {DeveloperKeysMax}");
        foreach (CognitoDeveloperKey key in options.DeveloperKeys)
        {
            if (key.AccessKeyId is not { Length: >= 16 and <= 128 } id || !id.All(char.IsAsciiLetterOrDigit)
                || id.StartsWith("ASIA", StringComparison.Ordinal))
                add("Cognito:DeveloperKeys:AccessKeyId", "give 16 to 128 letters and digits that do not begin with ASIA");
            if (key.SecretAccessKey is not { Length: >= 20 and <= 128 } secret || !secret.All(IsVisible))
                add("Cognito:DeveloperKeys:SecretAccessKey", "give 20 to 128 visible ASCII characters without blanks");
        }

        CheckReceivers("Cognito:Functions", options.Functions, add);
        CheckReceivers("Cognito:Streams", options.Streams, add);
        if (options.DeveloperKeys.DistinctBy(static key => key.AccessKeyId).Count() < options.DeveloperKeys.Count)
            add("Cognito:DeveloperKeys", "give each key an id of its own");
        foreach (CognitoOpenIdConnectProvider provider in options.OpenIdConnectProviders)
        {
            if (!ProviderCheck.IsAddress(provider.Issuer))
                add("Cognito:OpenIdConnectProviders:Issuer", "give an https address (http only on this machine) without query");
            if (provider.ClientIds.Count is < 1 or > 16 || provider.ClientIds.Any(static id => id.Length is < 1 or > 255))
                add("Cognito:OpenIdConnectProviders:ClientIds", "give 1 to 16 client ids of 1 to 255 characters");
        }
    }

    private static void CheckReceivers(string option, IDictionary<string, CognitoReceiver> receivers, Action<string, string> add)
    {
        foreach ((string name, CognitoReceiver receiver) in receivers)
        {
            if (receiver.Url is null || !ProviderCheck.IsAddress(receiver.Url.ToString()))
                add($"{option}:{name}:Url", "give an https address (http only on this machine) without query");
            if (!WebhookSignature.IsSecret(receiver.Secret))
                add($"{option}:{name}:Secret", "give whsec_ and 24 to 64 random bytes in base64");
        }
    }

    private static bool IsRegion(string? region) => region is { Length: >= 1 and <= 18 }
        && region.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    private static bool IsVisible(char c) => c is > ' ' and < '\u007f';
}
