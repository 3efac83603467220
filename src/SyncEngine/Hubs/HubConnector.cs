using System.Net.WebSockets;
using SyncEngine.Causality;
using SyncEngine.Identities;
using SyncEngine.Sync;

namespace SyncEngine.Hubs;

/// <summary>Connects a link to the hub with a credential that is good.</summary>
internal sealed class HubConnector(HubClient client, HubHttp http, HubClientOptions options) : ISyncConnector
{
    public string Name => options.Hub.GetLeftPart(UriPartial.Path);

    public async ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken)
    {
        Identity identity = client.Current;
        HubCredential credential = await client.EnsureAsync(cancellationToken).ConfigureAwait(false);

        // The caller syncs the identity that was current; nothing of it may reach another one's data.
        if (client.Current != identity)
            throw new SyncException(SyncErrorCode.ConnectionFailed, "Another identity has become current: connecting anew.");
        try
        {
            await client.DeclareReplicasAsync(credential, cancellationToken).ConfigureAwait(false);
        }
        catch (SyncException e) when (HubHttp.IsUnauthenticated(e))
        {
            client.Forget(credential);
            throw new SyncException(SyncErrorCode.ConnectionFailed, "The hub does not take the credential any more; a new one is "
                + "asked for.", innerException: e);
        }

        if (options.UsesPlainHttp)
        {
            http.Session = null;
            return new HttpExchangeTransport(http, credential.AccessToken);
        }

        var socket = new ClientWebSocket();
        try
        {
            socket.Options.SetRequestHeader("Authorization", "Bearer " + credential.AccessToken);
            var address = new UriBuilder(http.Address("/ws"));
            address.Scheme = address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";
            await socket.ConnectAsync(address.Uri, cancellationToken).ConfigureAwait(false);
            return new WebSocketTransport(socket) { TellsTime = true };
        }
        catch (WebSocketException e)
        {
            socket.Dispose();

            // Older platforms tell the status in words only.
            if (e.Message.Contains("'401'"))
            {
                client.Forget(credential);
                throw new SyncException(SyncErrorCode.ConnectionFailed,
                    "The hub does not take the credential any more; a new one "
                    + "is asked for.", innerException: e);
            }

            if (e.Message.Contains("'403'"))
                throw new SyncException(SyncErrorCode.Unauthorized, "The hub does not let this identity in.", innerException: e);
            if (e.Message.Contains("'503'"))
                throw new SyncException(SyncErrorCode.ConnectionFailed,
                    "The hub is busy with this identity, or full; it is tried again.", innerException: e);
            throw;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
