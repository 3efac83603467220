using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using SyncEngine.Hub.Accounts;
using SyncEngine.Hub.Syncing;
using SyncEngine.Sync;

namespace SyncEngine.Hub.Endpoints;

/// <summary>The routes over which devices sync.</summary>
internal sealed class SyncEndpoints(
    DeviceEntry entry, SessionCallers callers, SyncServing serving, HttpExchange exchange, JsonBodyReader bounds,
    IHostApplicationLifetime lifetime)
{
    private const int MessageBytesMax = 64 * 1024 * 1024;

    public void Map(IEndpointRouteBuilder client)
    {
        client.MapGet("/ws", (Delegate)ServeAsync).AddEndpointFilter(EntryFailures.GuardAsync);
        client.MapPost("/exchange", (Delegate)ExchangeAsync).AddEndpointFilter(EntryFailures.GuardAsync);
        client.MapDelete("/exchange", (Delegate)ExchangeAsync).AddEndpointFilter(EntryFailures.GuardAsync);
    }

    private async Task<IResult> ServeAsync(HttpContext context)
    {
        SyncCaller syncing = await RequireAsync(context).ConfigureAwait(false);
        if (!context.WebSockets.IsWebSocketRequest)
            return Problems.BadRequest("no-websocket", "Open a WebSocket here, or use the exchange address over plain requests.");
        if (!serving.HasRoom(syncing))
            return Problems.Unavailable("too-many-sessions", "This device has too many sessions open: close some.", 30);

        // What cannot begin is told before the socket is one, with when to come again.
        using OpenSession session = await serving.BeginAsync(syncing, context.RequestAborted).ConfigureAwait(false);

        // Compressing what an attacker can partly choose would tell about the rest, and costs memory for each connection.
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            DangerousEnableCompression = false, KeepAliveInterval = Timeout.InfiniteTimeSpan,
        }).ConfigureAwait(false);

        // The request lives as long as the session: its headers, the credential among them, are not needed for so long.
        context.Request.Headers.Clear();
        session.Leave = cancellationToken => LeaveAsync(socket, cancellationToken);
        using CancellationTokenRegistration stops = lifetime.ApplicationStopping.Register(() => _ = session.CutAsync());
        await serving.RunAsync(syncing, session, new WebSocketTransport(socket, MessageBytesMax)).ConfigureAwait(false);
        return Results.Empty;
    }

    /// <summary>Says why, while the socket still carries it: what is cancelled breaks.</summary>
    private static async Task LeaveAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        try
        {
            await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable,
                "The hub ends the session. Connect again.", cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or IOException or InvalidOperationException)
        {
            // The device is gone.
        }
    }

    private async ValueTask<SyncCaller> RequireAsync(HttpContext context)
    {
        HubCaller caller = await Callers.RequireAsync(entry, context, null).ConfigureAwait(false);
        return await callers.OfAsync(caller, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task<IResult> ExchangeAsync(HttpContext context)
    {
        SyncCaller syncing = await RequireAsync(context).ConfigureAwait(false);
        bounds.Bound(context, null);
        try
        {
            return await exchange.RunAsync(context, syncing, lifetime.ApplicationStopping).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            return Problems.SlowSender();
        }
    }
}
