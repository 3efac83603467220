using System.Net.Mime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Merging;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The routes by which devices come in and by which their owner manages logins and devices.</summary>
internal sealed class ClientEndpoints(
    PoolRegistry pools, DeviceEntry entry, LoginEntry logins, LoginPlans plans, IdentityDirectory directory,
    IdentityRemoval removal, IdentityMerging merging, JsonBodyReader bodies)
{
    private const int BodyBytesMax = 64 * 1024;

    public void Map(IEndpointRouteBuilder client)
    {
        RouteGroupBuilder pool = client.MapGroup("/pools/{pool}").AddEndpointFilter(EntryFailures.GuardAsync);
        pool.MapPost("/challenges", (Delegate)ChallengeAsync);
        pool.MapPost("/guests", (Delegate)GuestAsync);
        pool.MapPost("/credentials", (Delegate)RefreshAsync);
        pool.MapPost("/nonces", (Delegate)NonceAsync);
        pool.MapPost("/sessions", (Delegate)SignInAsync);
        pool.MapPost("/logins/plan", (Delegate)PlanAsync);
        pool.MapPost("/logins/commit", (Delegate)CommitAsync);
        RouteGroupBuilder own = client.MapGroup("/identity").AddEndpointFilter(EntryFailures.GuardAsync);
        own.MapGet("", (Delegate)DescribeAsync);
        own.MapDelete("", (Delegate)DeleteAsync);
        own.MapDelete("/logins/{provider}", (Delegate)UnlinkAsync);
        own.MapGet("/devices", (Delegate)DevicesAsync);
        own.MapDelete("/devices/{device}", (Delegate)RevokeAsync);
        own.MapPut("/replicas", (Delegate)DeclareAsync);
        own.MapPost("/merges/{merge}/undo", (Delegate)UndoAsync);
    }

    private Task<IResult> ChallengeAsync(HttpContext context, string pool) => InPoolAsync(context, pool, async found =>
    {
        (string text, DateTimeOffset expires, DateTimeOffset now) =
            await entry.ChallengeAsync(found, context.RequestAborted).ConfigureAwait(false);
        return Answer(new ChallengeAnswer(text, expires, now));
    });

    private Task<IResult> GuestAsync(HttpContext context, string pool) => InPoolAsync<GuestRequest>(context, pool,
        async (found, body) =>
        {
            if (!found.AllowsGuests)
                return Problems.Forbidden("no-guests", "This pool lets in no guests: log in with one of its providers.");
            return Answer(CredentialsAnswer.Of(await entry.RegisterAsync(
                found, new DeviceClaim(body.PublicKey, body.Challenge, body.Signature, body.DeviceName), context.RequestAborted)
                .ConfigureAwait(false)));
        });

    private Task<IResult> RefreshAsync(HttpContext context, string pool) => InPoolAsync<RefreshRequest>(context, pool,
        async (found, body) => Answer(CredentialsAnswer.Of(await entry.RefreshAsync(
            found, body.RefreshHandle, body.Challenge, body.Signature, context.RequestAborted).ConfigureAwait(false))));

    private Task<IResult> NonceAsync(HttpContext context, string pool) => InPoolAsync(context, pool, async found =>
    {
        (string text, DateTimeOffset expires) = await logins.NonceAsync(found, context.RequestAborted).ConfigureAwait(false);
        return Answer(new NonceAnswer(text, expires));
    });

    private Task<IResult> SignInAsync(HttpContext context, string pool) => InPoolAsync<SignInRequest>(context, pool,
        async (found, body) =>
        {
            (LoginRow login, _) = await logins.ProveAsync(
                found, body.Provider, body.Token, body.AccessToken, context.RequestAborted).ConfigureAwait(false);
            return Answer(CredentialsAnswer.Of(await entry.SignInAsync(
                found, new DeviceClaim(body.PublicKey, body.Challenge, body.Signature, body.DeviceName), login,
                context.RequestAborted).ConfigureAwait(false)));
        });

    private Task<IResult> PlanAsync(HttpContext context, string pool) => InPoolAsync<LoginPlanRequest>(context, pool,
        async (found, body) =>
        {
            HubCaller caller = await Callers.RequireAsync(entry, context, pool).ConfigureAwait(false);
            if (!TryReadMode(body.Mode, out MergeMode mode)) return WrongMode();
            (LoginRow login, string? from) = await logins.ProveAsync(
                found, body.Provider, body.Token, body.AccessToken, context.RequestAborted).ConfigureAwait(false);
            bool mayMerge = from == caller.Row.Id.ToString();
            if (body.Also is { } also)
            {
                (LoginRow own, _) = await logins.ProveAsync(
                    found, also.Provider, also.Token, also.AccessToken, context.RequestAborted).ConfigureAwait(false);
                mayMerge |= caller.Row.Logins.Any(known => known.Provider == own.Provider && known.Subject == own.Subject);
            }

            return Answer(LoginPlanAnswer.Of(await plans.PlanAsync(caller.Row, caller.Device.Id, login, mayMerge, mode,
                PoolAccess.LimitsOf(found), context.RequestAborted).ConfigureAwait(false)));
        });

    private Task<IResult> CommitAsync(HttpContext context, string pool) => InPoolAsync<LoginCommitRequest>(context, pool,
        async (found, body) =>
        {
            HubCaller caller = await Callers.RequireAsync(entry, context, pool).ConfigureAwait(false);
            if (!TryReadMode(body.Mode, out MergeMode mode)) return WrongMode();
            IdentityRow row = await plans.CommitAsync(pool, caller.Row.Id, caller.Device.Id, body.PlanId, mode,
                context.RequestAborted)
                .ConfigureAwait(false);
            return Answer(CredentialsAnswer.Of(await entry.GrantAsync(
                found, row, caller.Device, caller.Row.Id, null, "commit", context.RequestAborted).ConfigureAwait(false)));
        });

    private Task<IResult> DescribeAsync(HttpContext context) => OwnAsync(context,
        caller => Task.FromResult<IResult>(Answer(IdentityAnswer.Of(caller.Row))));

    private Task<IResult> DevicesAsync(HttpContext context) => OwnAsync(context, caller =>
        Task.FromResult<IResult>(Answer(new DeviceList([.. caller.Row.Devices.Select(DeviceAnswer.Of)]))));

    private Task<IResult> DeleteAsync(HttpContext context) => OwnAsync(context, async caller =>
    {
        await removal.DeleteAsync(caller.Row.Pool, caller.Row.Id, context.RequestAborted).ConfigureAwait(false);
        return TypedResults.NoContent();
    });

    private Task<IResult> UnlinkAsync(HttpContext context, string provider) => OwnAsync(context, async caller =>
    {
        bool isForced = context.Request.Query["force"] == "true";
        return Answer(IdentityAnswer.Of(await directory.UnlinkAsync(
            caller.Row.Pool, caller.Row.Id, provider, isForced, context.RequestAborted).ConfigureAwait(false)));
    });

    private Task<IResult> RevokeAsync(HttpContext context, string device) => OwnAsync(context, async caller =>
        Answer(IdentityAnswer.Of(await entry.RevokeDeviceAsync(caller.Row.Pool, caller.Row.Id, device, context.RequestAborted)
            .ConfigureAwait(false))));

    private Task<IResult> DeclareAsync(HttpContext context) => OwnAsync(context, async caller =>
    {
        JsonBody<ReplicasRequest> body = await bodies.ReadAsync<ReplicasRequest>(context, BodyBytesMax).ConfigureAwait(false);
        if (!body.TryGet(out ReplicasRequest? request, out Problem? refusal)) return refusal;
        var replicas = new List<ulong>();
        foreach (string text in request.Replicas)
        {
            if (text is not { Length: 16 } || !ulong.TryParse(text, System.Globalization.NumberStyles.AllowHexSpecifier,
                System.Globalization.CultureInfo.InvariantCulture, out ulong replica) || replica == 0)
                return Problems.BadRequest("bad-replica", "A replica's id is 16 hexadecimal digits, not all 0.", "$.replicas");
            replicas.Add(replica);
        }

        await directory.DeclareAsync(caller.Row.Pool, caller.Row.Id, caller.Device.Id, replicas, context.RequestAborted)
            .ConfigureAwait(false);
        return TypedResults.NoContent();
    });

    private Task<IResult> UndoAsync(HttpContext context, string merge) => OwnAsync(context, async caller =>
        Answer(IdentityAnswer.Of(await merging.UndoAsync(
            caller.Row.Pool, caller.Row.Id, merge, context.RequestAborted).ConfigureAwait(false))));

    private async Task<IResult> OwnAsync(HttpContext context, Func<HubCaller, Task<IResult>> answer) =>
        await answer(await Callers.RequireAsync(entry, context, null).ConfigureAwait(false)).ConfigureAwait(false);

    private async Task<IResult> InPoolAsync(HttpContext context, string pool, Func<IdentityPool, Task<IResult>> answer) =>
        HubNames.IsPool(pool) && await pools.FindAsync(pool, context.RequestAborted).ConfigureAwait(false) is { } found
            ? await answer(found).ConfigureAwait(false)
            : Problems.NotFound("no-such-pool", "There is no such pool: check the pool's name in the app.");

    private Task<IResult> InPoolAsync<T>(HttpContext context, string pool, Func<IdentityPool, T, Task<IResult>> answer)
        where T : class => InPoolAsync(context, pool, async found =>
    {
        JsonBody<T> body = await bodies.ReadAsync<T>(context, BodyBytesMax).ConfigureAwait(false);
        return body.TryGet(out T? request, out Problem? refusal)
            ? await answer(found, request).ConfigureAwait(false) : refusal;
    });

    private static Problem WrongMode() =>
        Problems.BadRequest("bad-mode", "Use union, keepDestination, keepSource or manual.", "$.mode");

    private static bool TryReadMode(string? text, out MergeMode mode)
    {
        (mode, bool isKnown) = text switch
        {
            null or "union" => (MergeMode.Union, true),
            "keepDestination" => (MergeMode.KeepDestination, true),
            "keepSource" => (MergeMode.KeepSource, true),
            "manual" => (MergeMode.Manual, true),
            _ => (default, false),
        };
        return isKnown;
    }

    private static JsonHttpResult<T> Answer<T>(T value) =>
        TypedResults.Json(value, PoolJson.Outside, MediaTypeNames.Application.Json, StatusCodes.Status200OK);
}
