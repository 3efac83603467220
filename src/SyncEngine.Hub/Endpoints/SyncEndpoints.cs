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
        client.MapGet("/ws", (Delegate)OpenAsync).AddEndpointFilter(EntryFailures.GuardAsync);
        client.MapPost("/exchange", (Delegate)ExchangeAsync).AddEndpointFilter(EntryFailures.GuardAsync);
        client.MapDelete("/exchange", (Delegate)ExchangeAsync).AddEndpointFilter(EntryFailures.GuardAsync);
    }

    private async Task<IResult> OpenAsync(HttpContext context)
    {
        SyncCaller syncing = await RequireAsync(context).ConfigureAwait(false);
        if (!context.WebSockets.IsWebSocketRequest)
            return Problems.BadRequest("no-websocket", "Open a WebSocket here, or use the exchange address over plain requests.");
        if (!serving.HasRoom(syncing))
            return Problems.Unavailable("too-many-sessions", "This device has too many sessions open: close some.", 30);

        // What cannot begin is told before the socket is one, with when to come again.
        OpenSession session = await serving.BeginAsync(syncing, context.RequestAborted).ConfigureAwait(false);
        return new OpenSocket(serving, syncing, session, lifetime.ApplicationStopping);
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

    /// <summary>Serves the session as the answer to the request, so that the filters around the endpoint, of which each holds
    /// memory while it waits, are done by then.</summary>
    private sealed class OpenSocket(SyncServing serving, SyncCaller caller, OpenSession session, CancellationToken stopping)
        : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            using OpenSession ended = session;

            // Compressing what an attacker can partly choose would tell about the rest, and costs memory for each connection.
            using WebSocket socket = await httpContext.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
            {
                DangerousEnableCompression = false, KeepAliveInterval = Timeout.InfiniteTimeSpan,
            }).ConfigureAwait(false);

            // The request lives as long as the session: its headers, the credential among them, are not needed for so long.
            // One by one, since clearing them all only marks them as gone.
            foreach (string name in httpContext.Request.Headers.Keys.ToArray()) httpContext.Request.Headers.Remove(name);
            session.Leave = cancellationToken => LeaveAsync(socket, cancellationToken);
            using CancellationTokenRegistration stops = stopping.Register(
                static session => _ = ((OpenSession)session!).CutAsync(), session);
            await serving.RunAsync(caller, session, new WebSocketTransport(socket, MessageBytesMax)).ConfigureAwait(false);
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
    }
}
