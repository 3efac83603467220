using System.IO.Pipes;

namespace SyncEngine.Sync;

/// <summary>Connects to another process over a named pipe.</summary>
/// <param name="pipe">The pipe's name.</param>
/// <param name="machine">The machine; a dot for this one.</param>
public sealed class PipeConnector(string pipe, string machine = ".") : ISyncConnector
{
    /// <inheritdoc/>
    public string Name => $"pipe://{machine}/{pipe}";

    /// <inheritdoc/>
    public async ValueTask<ISyncTransport> ConnectAsync(CancellationToken cancellationToken)
    {
        var stream = new NamedPipeClientStream(machine, pipe, PipeDirection.InOut, PipeOptions.Asynchronous);
        try
        {
            await stream.ConnectAsync(cancellationToken).ConfigureAwait(false);
            return new StreamTransport(stream);
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
