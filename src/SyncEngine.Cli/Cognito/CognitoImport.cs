using System.Text.Json.Nodes;

namespace SyncEngine.Cli.Cognito;

/// <summary>What an import has done so far: what the hub wrote, or, where it only reads, what there is.</summary>
internal sealed class CognitoImported
{
    public int Identities { get; set; }

    /// <summary>Identities that the hub had already.</summary>
    public int Known { get; set; }

    /// <summary>Done by a run before.</summary>
    public int Skipped { get; set; }

    public int Datasets { get; set; }

    public int Records { get; set; }

    /// <summary>Datasets that the hub had already.</summary>
    public int Same { get; set; }

    /// <summary>Datasets that were written to on the hub meanwhile: identity and name.</summary>
    public List<string> Changed { get; } = [];
}

/// <summary>
/// Brings a pool with all its identities to a hub, one after another, ids and sync counts kept. What is done is noted in a file,
/// so that a run that was broken off goes on there.
/// </summary>
/// <param name="source">Where it comes from.</param>
/// <param name="hub">Where it goes to; null to read alone.</param>
/// <param name="stateFile">Where is noted what is done.</param>
/// <param name="knownLogins">Logins of which the operator knows whose they are, for an identity's id.</param>
internal sealed class CognitoImport(
    CognitoSource source, AdminClient? hub, string stateFile,
    ILookup<string, (string Provider, string Subject)> knownLogins)
{
    /// <summary>Runs it to its end.</summary>
    /// <param name="progress">Told after each page of identities.</param>
    /// <param name="cancellationToken">Breaks it off; what was done is noted.</param>
    public async Task<CognitoImported> RunAsync(Action<CognitoImported> progress, CancellationToken cancellationToken)
    {
        var done = new CognitoImported();
        HashSet<string> before = hub is not null && File.Exists(stateFile)
            ? [.. await File.ReadAllLinesAsync(stateFile, cancellationToken)] : [];
        JsonObject description = await source.DescribeAsync(cancellationToken);
        string name = hub is null ? ""
            : (await hub.SendAsync(HttpMethod.Put, "/cognito/pools", description, null, cancellationToken)).Body.Text("name")
                ?? throw new CommandFailure(ExitCode.OperationFailed, "The hub did not say how it calls the pool: is it older?");
        string? developer = description["definition"].Text("DeveloperProviderName");
        string? next = null;
        do
        {
            (IReadOnlyList<JsonObject> page, next) = await source.ListAsync(next, cancellationToken);
            foreach (JsonObject identity in page)
            {
                if (identity.Text("IdentityId") is not { } id) continue;
                if (before.Contains(id)) done.Skipped++;
                else await BringAsync(name, id, identity, developer, done, cancellationToken);
            }

            progress(done);
        }
        while (next is not null);
        return done;
    }

    private async Task BringAsync(
        string name, string id, JsonObject identity, string? developer, CognitoImported done,
        CancellationToken cancellationToken)
    {
        List<string> providers = [.. (identity["Logins"] as JsonArray ?? []).Select(static name => name?.GetValue<string>())
            .OfType<string>()];
        JsonArray users = developer is not null && providers.Contains(developer)
            ? await source.UsersAsync(id, cancellationToken) : [];
        List<(string Provider, string Subject)> known = [.. knownLogins[id]];
        JsonArray datasets = await source.DatasetsAsync(id, cancellationToken);
        ILookup<string?, int> records = datasets.ToLookup(
            static dataset => dataset.Text("name"), static dataset => (dataset?["records"] as JsonArray)?.Count ?? 0);
        if (hub is null)
        {
            done.Identities++;
            done.Datasets += datasets.Count;
            done.Records += records.Sum(static counts => counts.Sum());
            return;
        }

        (JsonObject? answer, _) = await hub.SendAsync(HttpMethod.Put,
            $"/pools/{name}/cognito/identities/{Uri.EscapeDataString(id)}", new JsonObject
            {
                ["isOpen"] = providers.Count == 0,
                ["developerUsers"] = users,
                ["logins"] = new JsonArray([.. known.Select(static login => (JsonNode)new JsonObject
                {
                    ["provider"] = login.Provider, ["subject"] = login.Subject,
                })]),
                ["awaitedProviders"] = new JsonArray([.. providers.Where(name => name != developer
                    && !known.Exists(login => login.Provider == name)).Select(static name => (JsonNode)name)]),
                ["datasets"] = datasets,
            }, null, cancellationToken);
        if (answer.IsTrue("isNew")) done.Identities++;
        else done.Known++;
        foreach (JsonNode? dataset in answer?["datasets"] as JsonArray ?? [])
        {
            if (dataset.IsTrue("isImported"))
            {
                done.Datasets++;
                done.Records += records[dataset.Text("name")].Sum();
            }
            else if (dataset.IsTrue("isChangedHere")) done.Changed.Add($"{id} {dataset.Text("name")}");
            else done.Same++;
        }

        // Noted only once the hub has it durably.
        await File.AppendAllTextAsync(stateFile, id + "\n", cancellationToken);
    }
}
