using System.Text.Json.Nodes;

namespace SyncEngine.Cli.Cognito;

/// <summary>A pool at a service that speaks the protocol, read with a developer's keys. A call that is throttled, or fails at the
/// service, is tried again.</summary>
internal sealed class CognitoSource(CognitoClient client, CognitoKeys keys, string pool)
{
    private const int AttemptsMax = 6;
    private const int IdentitiesPage = 60;
    private const string DatasetsPage = "60";
    private const string RecordsPage = "1024";

    /// <summary>What the hub needs to make the pool.</summary>
    public async Task<JsonObject> DescribeAsync(CancellationToken cancellationToken)
    {
        JsonObject definition = await AskAsync("DescribeIdentityPool", [], cancellationToken);
        definition.Remove("IdentityPoolId");
        JsonObject roles = await AskAsync("GetIdentityPoolRoles", [], cancellationToken);
        roles.Remove("IdentityPoolId");
        return new JsonObject { ["identityPoolId"] = pool, ["definition"] = definition, ["roles"] = roles };
    }

    /// <summary>A page of the pool's identities that are not disabled.</summary>
    public async Task<(IReadOnlyList<JsonObject> Identities, string? Next)> ListAsync(
        string? from, CancellationToken cancellationToken)
    {
        JsonObject page = await AskAsync("ListIdentities", new JsonObject
        {
            ["MaxResults"] = IdentitiesPage, ["NextToken"] = from, ["HideDisabled"] = true,
        }, cancellationToken);
        return (Objects(page, "Identities"), page.Text("NextToken"));
    }

    /// <summary>The developer's users of an identity.</summary>
    public async Task<JsonArray> UsersAsync(string identity, CancellationToken cancellationToken)
    {
        var users = new JsonArray();
        for (string? next = ""; next is not null;)
        {
            JsonObject page = await AskAsync("LookupDeveloperIdentity", new JsonObject
            {
                ["IdentityId"] = identity, ["NextToken"] = next.Length == 0 ? null : next,
            }, cancellationToken);
            foreach (JsonNode? user in page["DeveloperUserIdentifierList"] as JsonArray ?? []) users.Add(user?.DeepClone());
            next = page.Text("NextToken");
        }

        return users;
    }

    /// <summary>All datasets of an identity, as the hub takes them.</summary>
    public async Task<JsonArray> DatasetsAsync(string identity, CancellationToken cancellationToken)
    {
        string[] path = ["identitypools", pool, "identities", identity, "datasets"];
        var datasets = new JsonArray();
        for (string? next = ""; next is not null;)
        {
            JsonObject page = await GetAsync(path, [("maxResults", DatasetsPage), ("nextToken", next.Length == 0 ? null : next)],
                cancellationToken);
            foreach (JsonObject dataset in Objects(page, "Datasets"))
                if (dataset.Text("DatasetName") is { } name) datasets.Add(await DatasetAsync([.. path, name], cancellationToken));
            next = page.Text("NextToken");
        }

        return datasets;
    }

    private async Task<JsonObject> DatasetAsync(string[] path, CancellationToken cancellationToken)
    {
        var records = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        long count = 0;
        for (string? next = ""; next is not null;)
        {
            JsonObject page = await GetAsync([.. path, "records"],
                [("lastSyncCount", "0"), ("maxResults", RecordsPage), ("nextToken", next.Length == 0 ? null : next)],
                cancellationToken);
            count = Math.Max(count, Number(page, "DatasetSyncCount"));
            foreach (JsonObject record in Objects(page, "Records"))
            {
                if (record.Text("Key") is not { } key) continue;
                long own = Number(record, "SyncCount");
                count = Math.Max(count, own);
                records[key] = new JsonObject
                {
                    ["key"] = key, ["value"] = record.Text("Value"), ["syncCount"] = own,
                    ["deviceLastModified"] = record["DeviceLastModifiedDate"] is JsonValue date
                        && date.TryGetValue(out double seconds) ? (long)(seconds * 1000) : null,
                };
            }

            next = page.Text("NextToken");
        }

        return new JsonObject
        {
            ["name"] = path[^1], ["syncCount"] = count, ["records"] = new JsonArray([.. records.Values]),
        };
    }

    private Task<JsonObject> AskAsync(string operation, JsonObject body, CancellationToken cancellationToken)
    {
        if (!body.ContainsKey("IdentityPoolId")) body["IdentityPoolId"] = pool;
        foreach (string unset in body.Where(static member => member.Value is null).Select(static member => member.Key).ToList())
            body.Remove(unset);
        return TryAsync(() => client.IdentityAsync(operation, body, keys, cancellationToken), cancellationToken);
    }

    private Task<JsonObject> GetAsync(
        IEnumerable<string> path, IReadOnlyList<(string, string?)> query, CancellationToken cancellationToken) =>
        TryAsync(() => client.SyncAsync(HttpMethod.Get, path, query, null, keys, cancellationToken), cancellationToken);

    private static async Task<JsonObject> TryAsync(Func<Task<JsonObject>> call, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await call();
            }
            catch (CognitoCallException e) when (e.Status is not (429 or >= 500) || attempt == AttemptsMax)
            {
                throw new CommandFailure(e.Status is 429 or >= 500 ? ExitCode.OperationFailed : ExitCode.BadInput,
                    $"The service to import from says {e.Type}: {e.Message}", e);
            }
            catch (HttpRequestException e) when (attempt == AttemptsMax)
            {
                throw new CommandFailure(ExitCode.OperationFailed,
                    $"The service to import from cannot be reached: {e.Message} Look at --from.", e);
            }
            catch (Exception e) when (e is CognitoCallException or HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromSeconds(Math.Pow(2, attempt - 2)), cancellationToken);
            }
        }
    }

    private static IReadOnlyList<JsonObject> Objects(JsonObject page, string member) =>
        [.. (page[member] as JsonArray ?? []).OfType<JsonObject>()];

    private static long Number(JsonObject answer, string member) =>
        answer[member] is JsonValue value && value.TryGetValue(out long number) ? number : 0;
}
