using System.Diagnostics;
using Microsoft.Extensions.Logging;
using SyncEngine.Causality;
using SyncEngine.Hub.Identities;
using SyncEngine.Identities;
using SyncEngine.Sync;

namespace SyncEngine.Hub.Syncing;

/// <summary>Runs the hub's side of sessions, whatever carries them.</summary>
internal sealed partial class SyncServing(
    HubStore store, IdentityDirectory directory, OpenSessions sessions, TimeProvider time, ILogger<SyncServing> logger)
{
    private const int SessionsOfDeviceMax = 8;

    /// <summary>Looks at changes before they are taken; null for nobody.</summary>
    public FrameReview? Review { get; set; }

    /// <summary>Whether a device may open one more session.</summary>
    public bool HasRoom(SyncCaller caller) => sessions.CountOf(caller.Pool, caller.Id, caller.Device) < SessionsOfDeviceMax;

    /// <summary>Begins a session; <see cref="RunAsync"/> ends it.</summary>
    /// <param name="caller">Who was let in.</param>
    /// <param name="cancellationToken">Ends the session.</param>
    /// <exception cref="SyncException">It cannot begin now (ConnectionFailed): to be tried again.</exception>
    public async Task<OpenSession> BeginAsync(SyncCaller caller, CancellationToken cancellationToken)
    {
        OpenSession session = sessions.Open(caller.Pool, caller.Id, caller.Device, cancellationToken);
        try
        {
            // A merge, a revocation or another definition of the pool since the credential was checked found no session to end.
            IdentityRow? row = await directory.FindAsync(caller.Pool, caller.Id, cancellationToken).ConfigureAwait(false);
            if (row?.State == IdentityState.Active && row.FindDevice(caller.Device) is { RevokedAt: null }
                && caller.Access.IsCurrent()) return session;
            throw new SyncException(
                SyncErrorCode.ConnectionFailed, "The identity, the device or the pool was changed. Connect again.");
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Serves one session until the device goes, its credential ends, it is cut, or the hub stops.</summary>
    public async Task RunAsync(SyncCaller caller, OpenSession session, ISyncTransport transport)
    {
        using Activity? activity = HubTelemetry.Begin("session", caller.Pool, ActivityKind.Server);
        HubTelemetry.Sessions.Add(1, HubTelemetry.Pool(caller.Pool));
        try
        {
            using OpenSession ended = session;
            using ITimer expires = caller.CutAtExpiry(session, time);
            using IdentityLease lease = await store.LeaseAsync(caller.Pool, caller.Id, session.Token).ConfigureAwait(false);
            Identity identity = lease.Identity;
            var guard = new HubGuard(identity, caller, Review, dataset =>
            {
                HubTelemetry.FramesTaken.Add(1, HubTelemetry.Pool(caller.Pool));
                lease.NoteSender(dataset, caller.Device);
            })
            {
                Session = session,
            };
            using var run = new SessionRun(identity, transport, new SyncOptions { Guard = guard }, false, false);
            SyncResult result = await run.RunAsync(session.Token).ConfigureAwait(false);
            LogEnded(caller.Pool, caller.Id, caller.Device, result.ChangesReceived, result.ChangesSent);
        }
        catch (SyncException e) when (e.Code is SyncErrorCode.StorageFailed or SyncErrorCode.StorageFull)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Code.ToString());
            LogNotDurable(caller.Pool, caller.Id, caller.Device, e.Message);
        }
        catch (SyncException) when (session.IsCut)
        {
            LogCut(caller.Pool, caller.Id, caller.Device);
        }
        catch (SyncException e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Code.ToString());
            LogFailed(caller.Pool, caller.Id, caller.Device, e.Code, e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            LogCut(caller.Pool, caller.Id, caller.Device);
        }
        finally
        {
            HubTelemetry.Sessions.Add(-1, HubTelemetry.Pool(caller.Pool));
            await transport.DisposeAsync().ConfigureAwait(false);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "Session of {Pool}/{Identity}, device {Device}: {Received} changes in, {Sent} out")]
    private partial void LogEnded(string pool, IdentityId identity, string device, long received, long sent);

    [LoggerMessage(2, LogLevel.Information, "Session of {Pool}/{Identity}, device {Device} failed: {Code}: {Reason}")]
    private partial void LogFailed(string pool, IdentityId identity, string device, SyncErrorCode code, string reason);

    [LoggerMessage(4, LogLevel.Error, "What came in a session of {Pool}/{Identity}, device {Device} is not durable: {Reason}")]
    private partial void LogNotDurable(string pool, IdentityId identity, string device, string reason);

    [LoggerMessage(3, LogLevel.Debug, "Session of {Pool}/{Identity}, device {Device} was ended by the hub")]
    private partial void LogCut(string pool, IdentityId identity, string device);
}
