using System.Globalization;
using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Push;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The routes by which an operator's own services hear of changes: webhooks, and the feed of a pool.</summary>
internal sealed class EventEndpoints(PoolRegistry pools, Webhooks webhooks, ChangeFeed feed, JsonBodyReader bodies)
{
    private const int WaitSecondsMax = 60;
    private const int EntriesMax = 1000;

    public void Map(IEndpointRouteBuilder admin)
    {
        RouteGroupBuilder pool = admin.MapGroup("/pools/{pool}");
        pool.MapGet("/webhooks", (Delegate)ListAsync).WithName("listWebhooks").WithSummary("List a pool's webhooks.")
            .Produces<WebhookList>().ProducesProblems(StatusCodes.Status404NotFound);
        pool.MapPost("/webhooks", (Delegate)CreateAsync).WithName("createWebhook").WithSummary("Define a webhook.")
            .WithDescription("The answer shows the secret that signs its payloads (Standard Webhooks), this once.")
            .WithBody<WebhookRequest>().Produces<WebhookInfo>(StatusCodes.Status201Created)
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound);
        pool.MapGet("/webhooks/{webhook}", (Delegate)DescribeAsync).WithName("describeWebhook")
            .WithSummary("Describe a webhook and how it "
                + "fares.").Produces<WebhookInfo>().ProducesProblems(StatusCodes.Status404NotFound);
        pool.MapDelete("/webhooks/{webhook}", (Delegate)DeleteAsync).WithName("deleteWebhook").WithSummary("Delete a webhook.")
            .Produces(StatusCodes.Status204NoContent).ProducesProblems(StatusCodes.Status404NotFound);
        pool.MapPost("/webhooks/{webhook}/enable", (Delegate)EnableAsync).WithName("enableWebhook")
            .WithSummary("Deliver again to a webhook that was disabled.").Produces<WebhookInfo>()
            .ProducesProblems(StatusCodes.Status404NotFound);
        pool.MapPost("/webhooks/{webhook}/rotate", (Delegate)RotateAsync).WithName("rotateWebhookSecret")
            .WithSummary("Give a webhook a new secret.").WithDescription("The old one signs too for a day.")
            .Produces<WebhookInfo>().ProducesProblems(StatusCodes.Status404NotFound);
        pool.MapGet("/changes", (Delegate)ReadAsync).WithName("readChanges").WithSummary("Read a pool's change feed.")
            .WithDescription("From a cursor on, without gaps; 410 says that the feed does not reach back to it. To begin, or "
                + "after a 410 or an entry of type interrupted: take the cursor of cursor=latest, read all datasets of all "
                + "identities, then read on from it.")
            .WithQuery("cursor", "Of the page before; start, the oldest kept, or latest. Default start.")
            .WithQuery("limit", "1 to 1,000. Default 100.").WithQuery("wait",
                "Seconds to wait for a change, up to 60. Default 0.")
            .Produces<FeedAnswer>().ProducesProblems(
                StatusCodes.Status400BadRequest, StatusCodes.Status404NotFound, StatusCodes.Status410Gone);
    }

    private async Task<IResult> ListAsync(HttpContext context, string pool)
    {
        if (await FindFaultAsync(context, pool).ConfigureAwait(false) is { } fault) return fault;
        IReadOnlyList<WebhookStatus> found = await webhooks.ListAsync(pool, context.RequestAborted).ConfigureAwait(false);
        return Answer(new WebhookList([.. found.Select(WebhookInfo.Of)]));
    }

    private async Task<IResult> CreateAsync(HttpContext context, string pool)
    {
        if (await FindFaultAsync(context, pool).ConfigureAwait(false) is { } fault) return fault;
        JsonBody<WebhookRequest> body = await bodies.ReadAsync<WebhookRequest>(context).ConfigureAwait(false);
        if (!body.TryGet(out WebhookRequest? request, out Problem? refusal)) return refusal;
        if (request.Event is not ("change" or "proposal"))
            return Problems.BadRequest("bad-event", "Use change or proposal.", "$.event");
        try
        {
            WebhookStatus status = await webhooks.CreateAsync(pool, new WebhookSettings(request.Url,
                request.Event == "change" ? WebhookEvent.Change : WebhookEvent.Proposal, request.Datasets), null,
                context.RequestAborted).ConfigureAwait(false);
            return Answer(WebhookInfo.Of(status) with { Secret = status.Definition.Secrets[0].Text },
                StatusCodes.Status201Created);
        }
        catch (ArgumentException e)
        {
            return Problems.BadRequest("bad-webhook", e.Message);
        }
    }

    private async Task<IResult> DescribeAsync(HttpContext context, string pool, string webhook) => Answer(
        await webhooks.ReadAsync(pool, webhook, context.RequestAborted).ConfigureAwait(false));

    private async Task<IResult> EnableAsync(HttpContext context, string pool, string webhook) => Answer(
        await webhooks.EnableAsync(pool, webhook, context.RequestAborted).ConfigureAwait(false));

    private async Task<IResult> RotateAsync(HttpContext context, string pool, string webhook)
    {
        WebhookStatus? status = await webhooks.RotateSecretAsync(pool, webhook, cancellationToken: context.RequestAborted)
            .ConfigureAwait(false);
        return status is null ? NoWebhook() : Answer(WebhookInfo.Of(status) with { Secret = status.Definition.Secrets[0].Text });
    }

    private async Task<IResult> DeleteAsync(HttpContext context, string pool, string webhook) =>
        await webhooks.DeleteAsync(pool, webhook, context.RequestAborted).ConfigureAwait(false)
            ? TypedResults.NoContent() : NoWebhook();

    private async Task<IResult> ReadAsync(HttpContext context, string pool)
    {
        if (await FindFaultAsync(context, pool).ConfigureAwait(false) is { } fault) return fault;
        if (!TryRead(context.Request, "limit", 100, 1, EntriesMax, out int limit))
            return Problems.BadRequest("bad-limit", $"Use a limit of 1 to {EntriesMax}.");
        if (!TryRead(context.Request, "wait", 0, 0, WaitSecondsMax, out int wait))
            return Problems.BadRequest("bad-wait", $"Use a wait of 0 to {WaitSecondsMax} seconds.");
        string? cursor = context.Request.Query["cursor"];
        FeedPage page = await feed.ReadAsync(pool, cursor, limit, TimeSpan.FromSeconds(wait), context.RequestAborted)
            .ConfigureAwait(false);
        return page.Outcome switch
        {
            FeedOutcome.Gone => new Problem(StatusCodes.Status410Gone, "feed-gone",
                "The feed does not reach to this cursor: take the one of cursor=latest, read all datasets of all "
                + "identities, then read on from it."),
            FeedOutcome.Malformed => Problems.BadRequest("bad-cursor",
                "The cursor is none of this pool: use the one of the page before."),
            _ => Answer(new FeedAnswer([.. page.Entries.Select(FeedItem.Of)], page.Cursor, page.HasMore)),
        };
    }

    private static bool TryRead(HttpRequest request, string name, int otherwise, int least, int most, out int value)
    {
        value = otherwise;
        return !request.Query.TryGetValue(name, out var texts) || (texts is [{ } text]
            && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most);
    }

    private async ValueTask<Problem?> FindFaultAsync(HttpContext context, string pool) =>
        HubNames.IsPool(pool) && await pools.FindAsync(pool, context.RequestAborted).ConfigureAwait(false) is not null
            ? null : Problems.NotFound("no-such-pool", "There is no such pool: list the pools, or create it.");

    private static Problem NoWebhook() => Problems.NotFound("no-such-webhook",
        "There is no such webhook: list the pool's webhooks.");

    private static IResult Answer(WebhookStatus? status) => status is null ? NoWebhook() : Answer(WebhookInfo.Of(status));

    private static JsonHttpResult<T> Answer<T>(T value, int status = StatusCodes.Status200OK) =>
        TypedResults.Json(value, PoolJson.Outside, MediaTypeNames.Application.Json, status);
}
