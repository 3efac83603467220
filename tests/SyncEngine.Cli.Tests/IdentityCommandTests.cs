using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using SyncEngine.Hubs;
using Xunit;

namespace SyncEngine.Cli.Tests;

/// <summary>The identity command at a real hub.</summary>
public sealed class IdentityCommandTests : IAsyncLifetime, IDisposable
{
    private readonly Sandbox _sandbox = new();
    private RunningHub _hub = null!;

    public async Task InitializeAsync()
    {
        _hub = await RunningHub.StartAsync(_sandbox);
        await _hub.DoAsync("pool", "create", "game", "--guests");
    }

    public async Task DisposeAsync() => await _hub.DisposeAsync();

    // The last of all that xUnit calls.
    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public async Task Identities_are_listed_described_disabled_enabled_and_deleted()
    {
        await using SyncStore ann = SyncStore.OpenInMemory(), bob = SyncStore.OpenInMemory();
        await EnterAsync(ann, "phone");
        await EnterAsync(bob, "laptop");
        string id = $"{ann.Identity.Id}";
        string[] lines = (await _hub.DoAsync("identity", "list", "game")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"{id}  active  guest  1 devices  2", Assert.Single(lines, line => line.Contains(id)),
            StringComparison.Ordinal);
        string[] json = (await _hub.DoAsync("identity", "list", "game", "--json")).Split('\n',
            StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(lines.Select(static line => line[..32]),
            json.Select(static line => JsonNode.Parse(line)!["identityId"]!.GetValue<string>()));
        JsonNode described = JsonNode.Parse(await _hub.DoAsync("identity", "describe", "game", id))!;
        Assert.Equal("phone", described["devices"]![0]!["name"]!.GetValue<string>());

        Assert.Equal($"Disabled identity {id}.\n", await _hub.DoAsync("identity", "disable", "game", id));
        Assert.Contains($"{id}  disabled", await _hub.DoAsync("identity", "list", "game"), StringComparison.Ordinal);
        Assert.Equal($"Enabled identity {id}.\n", await _hub.DoAsync("identity", "enable", "game", id));
        Assert.Contains($"{id}  active", await _hub.DoAsync("identity", "list", "game"), StringComparison.Ordinal);
        Assert.Equal($"Deleted identity {id}.\n", await _hub.DoAsync("identity", "delete", "game", id));
        await _hub.FailAsync(1, "identity", "describe", "game", id);
        Assert.StartsWith($"{bob.Identity.Id}  ", await _hub.DoAsync("identity", "list", "game"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Devices_are_listed_and_revoked()
    {
        await using SyncStore ann = SyncStore.OpenInMemory();
        await EnterAsync(ann, "Ann's phone");
        string id = $"{ann.Identity.Id}";
        string line = await _hub.DoAsync("identity", "devices", "game", id);
        string device = line[..line.IndexOf(' ', StringComparison.Ordinal)];
        Assert.StartsWith($"{device}  active  2", line, StringComparison.Ordinal);
        Assert.EndsWith("  Ann's phone\n", line, StringComparison.Ordinal);
        Assert.Equal(device, JsonNode.Parse(await _hub.DoAsync("identity", "devices", "game", id, "--json"))!["deviceId"]!
            .GetValue<string>());
        Assert.Equal($"Revoked device {device} of identity {id}.\n",
            await _hub.DoAsync("identity", "revoke", "game", id, device));
        Assert.StartsWith($"{device}  revoked  2", await _hub.DoAsync("identity", "devices", "game", id),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_merge_is_taken_back()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECPoint point = key.ExportParameters(false).Q;
        string file = _sandbox.PathOf("backend.jwk");
        await File.WriteAllTextAsync(file, new JsonObject
        {
            ["kid"] = "k1", ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Encode(point.X!), ["y"] = Encode(point.Y!),
        }.ToJsonString() + "\n");
        await _hub.DoAsync("pool", "update", "game", "--developer", "backend=" + file);
        await using SyncStore phone = SyncStore.OpenInMemory(), laptop = SyncStore.OpenInMemory();
        string id = $"{phone.Identity.Id}", guest = $"{laptop.Identity.Id}";
        await LogInAsync(phone, key);
        await LogInAsync(laptop, key);
        Assert.Equal(id, $"{laptop.Identity.Id}");
        Assert.Contains($"{guest}  merged into {id}  guest", await _hub.DoAsync("identity", "list", "game"),
            StringComparison.Ordinal);

        JsonNode account = JsonNode.Parse(await _hub.DoAsync("identity", "describe", "game", id))!;
        string merge = account["merges"]![0]!["mergeId"]!.GetValue<string>();
        Assert.Equal($"Took back merge {merge} of identity {id}.\n",
            await _hub.DoAsync("identity", "undo-merge", "game", id, merge));
        Assert.Contains($"{guest}  active  guest", await _hub.DoAsync("identity", "list", "game"), StringComparison.Ordinal);
        await _hub.FailAsync(2, "identity", "undo-merge", "game", id, merge);
    }

    [Fact]
    public async Task What_is_not_there_ends_with_1_and_what_is_no_id_with_2()
    {
        string nobody = new('0', 31);
        foreach (string verb in (string[])["describe", "disable", "enable", "delete", "devices"])
        {
            await _hub.FailAsync(1, "identity", verb, "game", nobody + "1");
            await _hub.FailAsync(1, "identity", verb, "nowhere", nobody + "1");
            await _hub.FailAsync(2, "identity", verb, "game", "../../pools");
            await _hub.FailAsync(2, "identity", verb, "game");
        }

        await _hub.FailAsync(1, "identity", "list", "nowhere");
        await _hub.FailAsync(1, "identity", "revoke", "game", nobody + "1", "phone");
        await using SyncStore ann = SyncStore.OpenInMemory();
        await EnterAsync(ann, "phone");
        await _hub.FailAsync(1, "identity", "undo-merge", "game", $"{ann.Identity.Id}", "nothing");
    }

    private async Task LogInAsync(SyncStore store, ECDsa key)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        string signed = Encode("""{"alg":"ES256","kid":"k1","typ":"dev+jwt"}"""u8) + "." + Encode(Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["iss"] = "backend", ["aud"] = $"{_hub.Devices.GetLeftPart(UriPartial.Authority)}/pools/game", ["sub"] = "ann",
                ["iat"] = now, ["exp"] = now + 120, ["jti"] = $"{store.FileId}",
            }.ToJsonString()));
        string token = $"{signed}.{Encode(key.SignData(Encoding.UTF8.GetBytes(signed), HashAlgorithmName.SHA256))}";
        await using HubClient client = HubClient.Connect(store, new HubClientOptions(_hub.Devices, "game"));
        await client.CommitLoginAsync(await client.PlanLoginAsync("backend", token));
    }

    private static string Encode(ReadOnlySpan<byte> bytes) =>
        Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private async Task EnterAsync(SyncStore store, string name)
    {
        await using HubClient client = HubClient.Connect(
            store, new HubClientOptions(_hub.Devices, "game") { DeviceName = name });
        await client.GetAccessTokenAsync();
    }
}
