using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace SyncEngine.Cli.Tests;

/// <summary>Stands before a hub's admin interface and lets no change through before as many have read what they change.</summary>
internal sealed class MeetingUpdates : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private readonly HttpClient _http = new();
    private readonly TaskCompletionSource _allHaveRead = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WebApplication _app;
    private readonly string _hub;
    private int _reading;

    private MeetingUpdates(string hub, int updates)
    {
        (_hub, _reading) = (hub, updates);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(PassAsync);
    }

    public string Address => _app.Urls.First();

    public static async Task<MeetingUpdates> StartAsync(string hub, int updates)
    {
        var meeting = new MeetingUpdates(hub, updates);
        await meeting._app.StartAsync();
        return meeting;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private async Task PassAsync(HttpContext context)
    {
        bool reads = HttpMethods.IsGet(context.Request.Method);
        if (!reads) await _allHaveRead.Task.WaitAsync(_patience);
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), _hub + context.Request.Path);
        if (!reads) request.Content = new StreamContent(context.Request.Body);
        foreach ((string name, var values) in context.Request.Headers)
        {
            if (name is "Authorization" or "If-Match") request.Headers.TryAddWithoutValidation(name, values.ToArray());
            if (name is "Content-Type") request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
        }

        using HttpResponseMessage answer = await _http.SendAsync(request);
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.Headers.ETag = answer.Headers.ETag?.ToString();
        await answer.Content.CopyToAsync(context.Response.Body);
        await context.Response.CompleteAsync();
        if (reads && Interlocked.Decrement(ref _reading) == 0) _allHaveRead.SetResult();
    }
}
