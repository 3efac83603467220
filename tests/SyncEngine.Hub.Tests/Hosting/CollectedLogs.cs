using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Xunit;

namespace SyncEngine.Hub.Tests.Hosting;

/// <summary>Keeps what is logged in one category: what the engine logs, unless it is told another.</summary>
internal sealed class CollectedLogs(string? category = null) : ILoggerProvider, ILogger
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = [];
    private bool _isKept;

    public IReadOnlyList<(LogLevel Level, string Text)> Lines => [.. _lines];

    public ILogger CreateLogger(string categoryName) =>
        categoryName == (category ?? typeof(SyncStore).FullName) ? this : new CollectedLogs { _isKept = true };

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (!_isKept) _lines.Enqueue((logLevel, formatter(state, exception)));
    }

    public async Task Until(Func<IReadOnlyList<(LogLevel Level, string Text)>, bool> isEnough)
    {
        using var limit = new CancellationTokenSource(_patience);
        while (!isEnough(Lines))
        {
            Assert.False(limit.IsCancellationRequested, string.Join("\n", Lines));
            await Task.Delay(10, CancellationToken.None);
        }
    }

    public void Dispose()
    {
    }
}
