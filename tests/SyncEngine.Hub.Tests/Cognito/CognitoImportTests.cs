using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using SyncEngine.Hub.Tests.Logins;
using Xunit;

namespace SyncEngine.Hub.Tests.Cognito;

/// <summary>
/// A pool goes from one hub to another by <c>syncengine cognito import</c>, which reads the first through the protocol alone, as
/// it would read AWS.
/// </summary>
public sealed class CognitoImportTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("syncengine-import-test").FullName;
    private CognitoApp _old = null!; // Set before each test.
    private CognitoApp _new = null!; // Set before each test.

    public async Task InitializeAsync()
    {
        _old = await CognitoApp.WithPoolAsync();
        _new = await CognitoApp.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _old.DisposeAsync();
        await _new.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_guest_changes_its_endpoint_alone_and_goes_on_where_it_was()
    {
        string guest = await _old.GuestAsync();
        Signer before = await _old.CredentialsAsync(guest);
        await UpdateAsync(_old, before, guest, Put("level", "1", 0), Put("gone", "x", 0));
        await UpdateAsync(_old, before, guest, Put("level", "2", 1));
        await UpdateAsync(_old, before, guest, Put("empty", "", 0));
        await UpdateAsync(_old, before, guest, Remove("gone", 1));
        JsonElement there = await ListAsync(_old, before, guest, 0);

        (int code, string words) = await ImportAsync();
        Assert.True(code == 0, words);
        Assert.Contains("imported: 1 identities, 1 datasets, 3 records", words, StringComparison.Ordinal);
        Signer after = await _new.CredentialsAsync(guest);
        JsonElement here = await ListAsync(_new, after, guest, 0);
        Assert.Equal(Shown(there), Shown(here));
        Assert.Equal(4, here.GetProperty("DatasetSyncCount").GetInt64());
        Assert.Equal(["gone"], (await ListAsync(_new, after, guest, 3)).GetProperty("Records").EnumerateArray()
            .Select(static record => record.GetProperty("Key").GetString()));

        // A write with the count that the client knows from before is taken, and a stale one is not.
        await UpdateAsync(_new, after, guest, Put("level", "3", 2));
        Answer stale = await TryUpdateAsync(_new, after, guest, Put("level", "4", 2));
        Assert.Equal("Current SyncCount for: level is: 5 not: 2", stale.Message);
    }

    [Fact]
    public async Task Users_keep_their_identities_and_are_no_guests()
    {
        (string identity, JsonObject logins) = await _old.UserAsync("ann");
        await _old.UserAsync("ann-2", identity);
        Signer before = await _old.CredentialsAsync(identity, logins);
        await UpdateAsync(_old, before, identity, Put("k", "v", 0));
        (int code, string words) = await ImportAsync();
        Assert.True(code == 0, words);
        _new.Pool = _old.Pool;
        foreach (string user in (string[])["ann", "ann-2"])
        {
            (string same, JsonObject proof) = await _new.UserAsync(user);
            Assert.Equal(identity, same);
            Signer after = await _new.CredentialsAsync(identity, proof);
            Assert.Equal(1, (await ListAsync(_new, after, identity, 0)).GetProperty("Count").GetInt32());
        }

        Assert.Contains("Access to Identity", await _new.FailAsync("GetCredentialsForIdentity", new JsonObject
        {
            ["IdentityId"] = identity,
        }), StringComparison.Ordinal);
        JsonElement pool = await _new.DoAsync("DescribeIdentityPool", new JsonObject { ["IdentityPoolId"] = _old.Pool });
        Assert.Equal("Game pool", pool.GetProperty("IdentityPoolName").GetString());
        JsonElement roles = await _new.DoAsync("GetIdentityPoolRoles", new JsonObject { ["IdentityPoolId"] = _old.Pool });
        Assert.Equal(CognitoApp.GuestArn, roles.GetProperty("Roles").GetProperty("unauthenticated").GetString());
    }

    [Fact]
    public async Task A_run_that_broke_off_goes_on_and_what_was_written_here_since_is_left_alone()
    {
        string one = await _old.GuestAsync(), two = await _old.GuestAsync();
        foreach (string guest in (string[])[one, two])
            await UpdateAsync(_old, await _old.CredentialsAsync(guest), guest, Put("k", "old", 0));
        string state = Path.Combine(_folder, "state");
        await File.WriteAllTextAsync(state, one + "\n");
        (int code, string words) = await ImportAsync("--state", state);
        Assert.True(code == 0, words);
        Assert.Contains("1 identities, 1 datasets, 1 records; 1 identities done before", words, StringComparison.Ordinal);
        Assert.StartsWith("ResourceNotFoundException", await _new.FailAsync(
            "GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = one }), StringComparison.Ordinal);
        Assert.Equal(new[] { one, two }.Order(), (await File.ReadAllLinesAsync(state)).Order());

        // From the beginning: what came is there already, what changed at the old service follows, what changed here stays.
        await UpdateAsync(_old, await _old.CredentialsAsync(one), one, Put("k", "newer", 1));
        await UpdateAsync(_old, await _old.CredentialsAsync(two), two, Put("k", "newer", 1));
        await UpdateAsync(_new, await _new.CredentialsAsync(two), two, Put("k", "here", 1));
        (code, words) = await ImportAsync("--state", Path.Combine(_folder, "another"));
        Assert.True(code == 0, words);
        Assert.Contains($"written to on the hub: {two} save", words, StringComparison.Ordinal);
        Assert.Contains("imported: 1 identities, 1 datasets, 1 records; there already: 1 identities, 0 datasets\n", words,
            StringComparison.Ordinal);
        Assert.Equal("newer", Value(await ListAsync(_new, await _new.CredentialsAsync(one), one, 0)));
        Assert.Equal("here", Value(await ListAsync(_new, await _new.CredentialsAsync(two), two, 0)));

        // Only what is written is counted.
        (code, words) = await ImportAsync("--state", Path.Combine(_folder, "third"));
        Assert.True(code == 0, words);
        Assert.Contains("imported: 0 identities, 0 datasets, 0 records; there already: 2 identities, 1 datasets\n", words,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_login_of_an_awaited_provider_that_comes_with_the_id_is_the_identity()
    {
        await using LoopbackIssuer issuer = await LoopbackIssuer.StartAsync();
        await using CognitoApp app = await CognitoApp.WithPoolAsync(
            options: hub => hub.Cognito.OpenIdConnectProviders.Add(new CognitoOpenIdConnectProvider
            {
                Issuer = issuer.Name, ClientIds = { LoopbackIssuer.ClientId },
            }), definition: pool => pool["OpenIdConnectProviderARNs"] =
                new JsonArray("arn:aws:iam::123456789012:oidc-provider/" + issuer.Name["http://".Length..]));
        string id = "us-east-1:0123abcd-0000-4000-8000-00000000000a", provider = issuer.Name["http://".Length..];
        using var body = new StringContent(
            $$"""{"awaitedProviders":["{{provider}}"]}""", System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage brought = await app.Hub.Admin.PutAsync(
            $"/admin/pools/Game-pool/cognito/identities/{Uri.EscapeDataString(id)}", body);
        Assert.True(brought.StatusCode == HttpStatusCode.OK, await brought.Content.ReadAsStringAsync());

        JsonObject ann = Logins("ann"), bob = Logins("bob");
        Assert.Contains("Access to Identity", await app.FailAsync(
            "GetCredentialsForIdentity", new JsonObject { ["IdentityId"] = id }), StringComparison.Ordinal);
        await app.CredentialsAsync(id, ann);
        JsonElement same = await app.AskAsync("GetId", new JsonObject { ["IdentityPoolId"] = app.Pool, ["Logins"] = ann });
        Assert.Equal(id, same.GetProperty("IdentityId").GetString());

        // Whoever comes after that with the id alone, or with another login, is somebody else.
        Assert.StartsWith("NotAuthorizedException", await app.FailAsync("GetCredentialsForIdentity", new JsonObject
        {
            ["IdentityId"] = id, ["Logins"] = bob,
        }), StringComparison.Ordinal);

        JsonObject Logins(string person) => new()
        {
            [provider] = issuer.Token(claims =>
            {
                claims["sub"] = person;
                claims.Remove("nonce");
            }),
        };
    }

    [Fact]
    public async Task A_dry_run_counts_and_writes_nothing_and_wrong_keys_are_told()
    {
        string guest = await _old.GuestAsync();
        await UpdateAsync(_old, await _old.CredentialsAsync(guest), guest, Put("k", "v", 0));
        (int code, string words) = await ImportAsync("--dry-run");
        Assert.True(code == 0, words);
        Assert.Contains("found: 1 identities, 1 datasets, 1 records", words, StringComparison.Ordinal);
        Assert.StartsWith("ResourceNotFoundException", await _new.FailAsync(
            "GetId", new JsonObject { ["IdentityPoolId"] = _old.Pool }), StringComparison.Ordinal);
        (code, words) = await RunAsync(Signer.Developer with { Secret = new string('x', 30) });
        Assert.Equal(2, code);
        Assert.Contains("InvalidSignatureException", words, StringComparison.Ordinal);
    }

    private static JsonObject Put(string key, string value, long count) => new()
    {
        ["Op"] = "replace", ["Key"] = key, ["Value"] = value, ["SyncCount"] = count, ["DeviceLastModifiedDate"] = 1_700_000_000.5,
    };

    private static JsonObject Remove(string key, long count) => new() { ["Op"] = "remove", ["Key"] = key, ["SyncCount"] = count };

    private static string? Value(JsonElement listed) => listed.GetProperty("Records")[0].GetProperty("Value").GetString();

    private static IEnumerable<string> Shown(JsonElement listed) => listed.GetProperty("Records").EnumerateArray().Select(
        static record => $"{record.GetProperty("Key")} {record.GetProperty("SyncCount")} "
            + (record.TryGetProperty("Value", out JsonElement value) ? $"'{value}' {record.GetProperty("DeviceLastModifiedDate")}"
                : "gone")).Order();

    private async Task<JsonElement> ListAsync(CognitoApp app, Signer signer, string identity, long since)
    {
        Answer answer = await app.Client.SyncAsync(
            "GET", PathOf(identity) + "/records", $"lastSyncCount={since}", null, signer);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
        return answer.Json;
    }

    private async Task UpdateAsync(CognitoApp app, Signer signer, string identity, params JsonObject[] patches)
    {
        Answer answer = await TryUpdateAsync(app, signer, identity, patches);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Text);
    }

    private async Task<Answer> TryUpdateAsync(CognitoApp app, Signer signer, string identity, params JsonObject[] patches)
    {
        string? session = (await ListAsync(app, signer, identity, 0)).GetProperty("SyncSessionToken").GetString();
        var body = new JsonObject { ["SyncSessionToken"] = session, ["RecordPatches"] = new JsonArray([.. patches]) };
        return await app.Client.SyncAsync("POST", PathOf(identity), "", body.ToJsonString(), signer);
    }

    private string PathOf(string identity) => "/identitypools/" + Uri.EscapeDataString(_old.Pool) + "/identities/"
        + Uri.EscapeDataString(identity) + "/datasets/save";

    private Task<(int Code, string Words)> ImportAsync(params string[] more) => RunAsync(Signer.Developer, more);

    /// <summary>Runs the program; whichever test asks, its process ends with it.</summary>
    private async Task<(int Code, string Words)> RunAsync(Signer signer, params string[] more)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "..", "..", "SyncEngine.Cli",
            Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/', '\\')), "SyncEngine.Cli.dll");
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder,
            ArgumentList =
            {
                Path.GetFullPath(program), "cognito", "import", "--from", _old.Hub.Address.AbsoluteUri, "--pool", _old.Pool,
                "--hub", _new.Hub.Address.AbsoluteUri,
            },
        };
        foreach (string word in more) start.ArgumentList.Add(word);
        start.Environment["AWS_ACCESS_KEY_ID"] = signer.KeyId;
        start.Environment["AWS_SECRET_ACCESS_KEY"] = signer.Secret;
        start.Environment["AWS_SESSION_TOKEN"] = "";
        start.Environment["SYNCENGINE_ADMIN_KEY"] = HubApp.AdminKey;
        using Process process = Process.Start(start)!; // Null only where a process is reused, which is for shells.
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));
        }
        catch (TimeoutException)
        {
            process.Kill();
        }

        return (process.ExitCode, await output + await errors);
    }
}
