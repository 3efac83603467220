using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace SyncEngine.Hub.Endpoints;

/// <summary>A request's body that must come at a least rate, from its first reading on and after some grace.</summary>
internal sealed class PacedBody(Stream body, double bytesPerSecondMin, TimeSpan grace) : Stream
{
    private long _begun;
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="BadHttpRequestException">It comes too slowly (408), is too large (413) or broken (400).</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_begun == 0) _begun = Stopwatch.GetTimestamp();
        TimeSpan left = grace + TimeSpan.FromSeconds(_read / bytesPerSecondMin) - Stopwatch.GetElapsedTime(_begun);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
        try
        {
            int read = await body.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
            _read += read;
            return read;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new BadHttpRequestException("The body came too slowly.", StatusCodes.Status408RequestTimeout);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();
}
