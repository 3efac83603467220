using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Syncing;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The routes by which devices hear of changes without a sync session.</summary>
internal sealed class PushEndpoints(
    DeviceEntry entry, SessionCallers callers, ServerSentEvents events, PushRegistrations registrations, DevicePush devices,
    OpenSessions sessions, JsonBodyReader bodies, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private const int BodyBytesMax = 16 * 1024;

    public void Map(IEndpointRouteBuilder client)
    {
        RouteGroupBuilder group = client.MapGroup("").AddEndpointFilter(EntryFailures.GuardAsync);
        group.MapGet("/events", (Delegate)StreamAsync);
        group.MapPut("/identity/push", (Delegate)RegisterAsync);
        group.MapDelete("/identity/push", (Delegate)ForgetAsync);
    }

    private async Task<IResult> StreamAsync(HttpContext context)
    {
        HubCaller caller = await Callers.RequireAsync(entry, context, null).ConfigureAwait(false);
        SyncCaller syncing = await callers.OfAsync(caller, context.RequestAborted).ConfigureAwait(false);

        // A session of its own, so that whoever revokes the device ends it too.
        using OpenSession session = sessions.Open(
            syncing.Pool, syncing.Id, syncing.Device + "/events", lifetime.ApplicationStopping);
        using ITimer expires = syncing.CutAtExpiry(session, time);
        await events.RunAsync(context, syncing.Pool, syncing.Id, syncing.Device,
            dataset => syncing.Access.Allows("dataset:read", dataset), session.Token).ConfigureAwait(false);
        return Results.Empty;
    }

    private async Task<IResult> RegisterAsync(HttpContext context)
    {
        HubCaller caller = await Callers.RequireAsync(entry, context, null).ConfigureAwait(false);
        JsonBody<PushRequest> body = await bodies.ReadAsync<PushRequest>(context, BodyBytesMax).ConfigureAwait(false);
        if (!body.TryGet(out PushRequest? request, out Problem? refusal)) return refusal;
        var registration = new PushRegistration(request.Platform, request.Token, request.Datasets ?? ["*"]);
        try
        {
            registration.Check();
        }
        catch (ArgumentException e)
        {
            return Problems.BadRequest("bad-registration", e.Message);
        }

        if (!devices.Platforms.Contains(request.Platform))
        {
            return Problems.BadRequest("no-such-platform", devices.Platforms.Count == 0
                ? "This hub sends no pushes: its operator must configure a sender, such as SyncHub:Apns or SyncHub:Fcm."
                : "This hub sends pushes over: " + string.Join(", ", devices.Platforms) + ".", "$.platform");
        }

        await registrations.PutAsync(caller.Row.Pool, caller.Row.Id, caller.Device.Id, registration).ConfigureAwait(false);
        return TypedResults.NoContent();
    }

    private async Task<IResult> ForgetAsync(HttpContext context)
    {
        HubCaller caller = await Callers.RequireAsync(entry, context, null).ConfigureAwait(false);
        await registrations.RemoveAsync(caller.Row.Pool, caller.Row.Id, caller.Device.Id).ConfigureAwait(false);
        return TypedResults.NoContent();
    }
}

/// <summary>A device wants to be woken.</summary>
internal sealed record PushRequest
{
    public required string Platform { get; init; }

    public required string Token { get; init; }

    /// <summary>Patterns of the datasets it hears of; all without it.</summary>
    public IReadOnlyList<string>? Datasets { get; init; }
}
