using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Tests.Logins;
using Xunit;
using LoopbackServer = SyncEngine.Hub.Tests.Push.LoopbackServer;

namespace SyncEngine.Hub.Tests.Cognito.Clients;

/// <summary>
/// A hub for the real clients: a pool with guests and logins of a provider on loopback, a push service, a stream and a function.
/// Each script runs once, when the first of its checks is asked for.
/// </summary>
public sealed class ClientHub : IAsyncLifetime
{
    private const string KeyId = "AKIDDEVELOPERTEST001";
    private const string Secret = "the/secret+of+the+developer+key0123456789";
    private const string HookSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private const string AuthenticatedRole = "arn:aws:iam::123456789012:role/Clients_Auth";
    private const string GuestRole = "arn:aws:iam::123456789012:role/Clients_Unauth";
    private const string ProviderArns = "arn:aws:iam::123456789012:oidc-provider/";
    private static readonly string[] _people = ["ann", "bob", "cara", "dan", "eva", "finn", "gina", "hugo"];
    private readonly ConcurrentDictionary<string, Lazy<Task<(IReadOnlyDictionary<string, string> Details, string Words)>>> _runs =
        new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private LoopbackIssuer? _issuer;
    private LoopbackServer? _outside;
    private HubApp? _hub;

    internal HubApp Hub => _hub!; // Whoever was not skipped comes after InitializeAsync.

    /// <summary>What scripts are told: addresses, keys, the pool and what proves each person.</summary>
    internal JsonObject Settings { get; private set; } = [];

    public async Task InitializeAsync()
    {
        if (!ClientProgram.HasNode && ClientProgram.Python is null) return;
        _issuer = await LoopbackIssuer.StartAsync();
        _outside = await LoopbackServer.StartAsync(AnswerAsync);
        _hub = await HubApp.StartAsync(
            static services => services.AddSingleton<IPushSender>(new ListedPushes("fcm")), options: options =>
            {
                AddKey(options);
                CognitoOptions cognito = options.Cognito;
                foreach (string issuer in (string[])[_issuer.Name, Down])
                {
                    cognito.OpenIdConnectProviders.Add(new CognitoOpenIdConnectProvider
                    {
                        Issuer = issuer, ClientIds = { LoopbackIssuer.ClientId },
                    });
                }

                cognito.Streams["changes"] = ReceiverAt("/stream");
                cognito.Streams["held"] = ReceiverAt("/held");
                cognito.Functions["guard"] = ReceiverAt("/guard");
            });
        string provider = _issuer.Name["http://".Length..], down = Down["http://".Length..];
        Settings = new JsonObject
        {
            ["endpoint"] = _hub.Address.AbsoluteUri.TrimEnd('/'), ["keyId"] = KeyId, ["secret"] = Secret,
            ["provider"] = provider, ["providerArn"] = ProviderArns + provider,
            ["downProvider"] = down, ["downProviderArn"] = ProviderArns + down,
            ["outside"] = _outside.Address.AbsoluteUri, ["adminKey"] = HubApp.AdminKey, ["guestRole"] = GuestRole,
            ["tokens"] = new JsonObject(_people.Select(person => KeyValuePair.Create(person, (JsonNode?)TokenOf(person)))),
        };
        Settings["pool"] = await MakePoolAsync(_hub, new JsonArray(ProviderArns + provider));
    }

    public async Task DisposeAsync()
    {
        _released.TrySetResult();
        if (_hub is not null) await _hub.DisposeAsync();
        if (_outside is not null) await _outside.DisposeAsync();
        if (_issuer is not null) await _issuer.DisposeAsync();
    }

    /// <summary>An ID token of a person, as the provider gives it.</summary>
    internal string TokenOf(string person) => _issuer!.Token(claims => // As Hub.
    {
        claims["sub"] = person;
        claims.Remove("nonce");
    });

    /// <summary>Requires that a check of a script went well.</summary>
    internal async Task RequireAsync(string folder, string script, string check)
    {
        (IReadOnlyDictionary<string, string> details, string words) = await RunAsync(folder, script);
        Assert.True(details.TryGetValue(check, out string? detail), $"{script} ended before it came to '{check}': {words}");
        Assert.True(detail.Length == 0, detail);
    }

    /// <summary>What went wrong in each check of a script, which runs at the first call; and what else it printed.</summary>
    internal Task<(IReadOnlyDictionary<string, string> Details, string Words)> RunAsync(string folder, string script) =>
        _runs.GetOrAdd(script, name => new(() => ClientProgram.RunAsync(folder, name, Hub.Address, Settings))).Value;

    /// <summary>Lets in the developer that scripts are.</summary>
    internal static void AddKey(SyncHubOptions options) =>
        options.Cognito.DeveloperKeys.Add(new CognitoDeveloperKey { AccessKeyId = KeyId, SecretAccessKey = Secret });

    private string Down => _outside!.Address.AbsoluteUri + "down"; // As below.

    private CognitoReceiver ReceiverAt(string path) => new()
    {
        Url = new Uri(_outside!.Address, path), Secret = HookSecret, // Set before the hub is.
    };

    /// <summary>Makes a pool with roles as a developer does.</summary>
    internal static async Task<string> MakePoolAsync(HubApp hub, JsonArray providers)
    {
        using var signed = new SigningClient(hub.Address, TimeProvider.System);
        var key = new Signer(KeyId, Secret);
        Answer made = await signed.IdentityAsync("CreateIdentityPool", new JsonObject
        {
            ["IdentityPoolName"] = "Clients", ["AllowUnauthenticatedIdentities"] = true, ["AllowClassicFlow"] = true,
            ["OpenIdConnectProviderARNs"] = providers, ["DeveloperProviderName"] = "login.game",
        }, key);
        Assert.True(made.Status == System.Net.HttpStatusCode.OK, made.Text);
        string pool = made.Json.GetProperty("IdentityPoolId").GetString()!; // The answer's one constant member.
        Answer set = await signed.IdentityAsync("SetIdentityPoolRoles", new JsonObject
        {
            ["IdentityPoolId"] = pool,
            ["Roles"] = new JsonObject { ["authenticated"] = AuthenticatedRole, ["unauthenticated"] = GuestRole },
        }, key);
        Assert.True(set.Status == System.Net.HttpStatusCode.OK, set.Text);
        return pool;
    }

    /// <summary>One stream takes all, another one when it is released; one provider is down; the function rewrites each value,
    /// and misbehaves for some keys.</summary>
    private async Task AnswerAsync(HttpContext context, int number)
    {
        if (context.Request.Path == "/held") await _released.Task;
        if (context.Request.Path == "/release") _released.TrySetResult();
        if (context.Request.Path.StartsWithSegments("/down"))
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        if (context.Request.Path != "/guard") return;
        JsonNode asked = (await JsonNode.ParseAsync(context.Request.Body))!; // An event is never the word null.
        foreach ((string key, JsonNode? record) in asked["datasetRecords"]!.AsObject()) // Every event has it.
        {
            if (key == "busy") context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            if (key == "garble") await context.Response.WriteAsync("no JSON");
            if (key is "busy" or "garble") return;
            record!["newValue"] = record["newValue"] + " (seen)";
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(asked.ToJsonString());
    }
}
