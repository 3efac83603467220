using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace SyncEngine.Hub.Tests.Logins;

/// <summary>A server on loopback that answers each path as a test says, and counts the calls.</summary>
internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _answers = new();
    private readonly ConcurrentDictionary<string, int> _calls = new();

    private LoopbackServer(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    public static async Task<LoopbackServer> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        var server = new LoopbackServer(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    public int Calls(string path) => _calls.GetValueOrDefault(path);

    public void On(string path, RequestDelegate answer) => _answers[path] = answer;

    public void On(string path, int status, string body) => On(path, (_) => (status, body));

    public void On(string path, Func<HttpRequest, (int Status, string Body)> answer) => On(path, context =>
    {
        (context.Response.StatusCode, string body) = answer(context.Request);
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body);
    });

    /// <summary>Takes calls of a path and never answers; ends with the caller.</summary>
    public void Hang(string path) => On(path, static async context =>
    {
        var gone = new TaskCompletionSource();
        await using CancellationTokenRegistration _ = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    });

    /// <summary>Answers a path with a redirect to another.</summary>
    public void Redirect(string path, string to) => On(path, context =>
    {
        context.Response.Redirect(to);
        return Task.CompletedTask;
    });

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        string path = context.Request.Path.Value ?? "";
        _calls.AddOrUpdate(path, 1, static (_, count) => count + 1);
        if (_answers.TryGetValue(path, out RequestDelegate? answer)) return answer(context);
        context.Response.StatusCode = 404;
        return context.Response.WriteAsync("{}");
    }
}
