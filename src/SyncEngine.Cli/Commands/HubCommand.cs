using System.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using SyncEngine.Hub;
using SyncEngine.Hub.Tokens;

namespace SyncEngine.Cli.Commands;

internal static class HubCommand
{
    private const string DefaultUrls = "http://127.0.0.1:7117";
    private const string DefaultAdminUrl = "http://127.0.0.1:7118";
    private const string DefaultFolder = "syncengine-hub";
    private static readonly TimeSpan _stopMax = TimeSpan.FromSeconds(20);

    public static Command Build(Terminal terminal)
    {
        Option<string> urls = new("--urls")
        {
            Description = "Where devices reach it; several with semicolons between. Put a proxy that ends TLS in front, or "
                + "configure certificates of Kestrel, before you open it to the internet.",
            HelpName = "URLS", DefaultValueFactory = static _ => DefaultUrls,
        };
        Option<string> adminUrl = new("--admin-url")
        {
            Description = "Where the operator reaches it: this machine alone, unless you say otherwise.",
            HelpName = "URL", DefaultValueFactory = static _ => DefaultAdminUrl,
        };
        Option<string> data = new("--data")
        {
            Description = "The folder with the hub's file; made if there is none.",
            HelpName = "DIR", DefaultValueFactory = static _ => DefaultFolder,
        };
        Option<bool> newKey = new("--new-admin-key") { Description = "Replace the admin key, and print the new one." };
        var command = new Command("hub", "Run a hub: all devices of all your app's users sync through it. One process, one "
            + "folder. Settings come from appsettings.json and the environment too (SyncHub__...). Ctrl+C stops it; "
                + "nothing that a "
            + "device was told is saved is lost.") { urls, adminUrl, data, newKey };
        command.SetAction((arguments, cancellationToken) => RunAsync(
            terminal, arguments.GetRequiredValue(urls), arguments.GetRequiredValue(adminUrl), arguments.GetRequiredValue(data),
            arguments.GetValue(newKey), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        Terminal terminal, string urls, string adminUrl, string folder, bool replacesKey, CancellationToken cancellationToken)
    {
        Uri admin = ParseAdmin(adminUrl);
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls([.. urls.Split(';', StringSplitOptions.RemoveEmptyEntries), adminUrl]);
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        });
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = _stopMax);
        builder.Services.AddSyncHub(options =>
        {
            options.DataFolder = folder;
            options.AdminPort = admin.Port == 0 ? null : admin.Port;
        });
        await using WebApplication app = builder.Build();
        app.UseWebSockets();
        app.MapSyncHub("/sync");
        app.MapSyncHubAdmin();
        app.MapHealthChecks("/health");
        string? key = await app.Services.GetRequiredService<StoredAdminKey>().EnsureAsync(replacesKey, cancellationToken);
        await StartAsync(app, cancellationToken);
        ICollection<string> bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        if (admin.Port == 0)
        {
            // The port is known only now.
            app.Services.GetRequiredService<IOptions<SyncHubOptions>>().Value.AdminPort = new Uri(bound.Last()).Port;
        }

        Greet(terminal, app, [.. bound], key);
        try
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await app.StopAsync(CancellationToken.None);
        }

        terminal.Out.WriteLine("Stopped. Everything that devices were told is saved is in the folder.");
        return ExitCode.Success;
    }

    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (OptionsValidationException e)
        {
            throw new CommandFailure(ExitCode.BadInput, string.Join(" ", e.Failures));
        }
        catch (IOException e)
        {
            throw new CommandFailure(ExitCode.OperationFailed,
                $"{e.Message} Choose other addresses with --urls and --admin-url.");
        }
    }

    private static void Greet(Terminal terminal, WebApplication app, List<string> bound, string? key)
    {
        SyncHubOptions options = app.Services.GetRequiredService<IOptions<SyncHubOptions>>().Value;
        string admin = bound[^1];
        terminal.Out.WriteLine($"Hub of {Path.GetFullPath(options.DataFolder)}");
        foreach (string address in bound.SkipLast(1)) terminal.Out.WriteLine($"  devices  {address}/sync   health "
            + $"{address}/health");
        terminal.Out.WriteLine($"  admin    {admin}/admin");
        if (key is not null)
        {
            terminal.Out.WriteLine($"  key      {key}");
            terminal.Out.WriteLine("           The admin key; it is shown this once. Lost? Start with --new-admin-key.");
        }

        terminal.Out.WriteLine("Next:");
        terminal.Out.WriteLine($"  export SYNCENGINE_HUB_ADMIN={admin} SYNCENGINE_ADMIN_KEY={key ?? "YOUR_KEY"}");
        terminal.Out.WriteLine("  syncengine pool create game --guests");
        terminal.Out.WriteLine($"  In the app: HubClient.Connect(store, new HubClientOptions(new Uri(\"{bound[0]}/sync\"), "
            + $"\"game\"))");
    }

    private static Uri ParseAdmin(string url) => Uri.TryCreate(url.Replace("*", "localhost", StringComparison.Ordinal),
        UriKind.Absolute,
        out Uri? uri) && uri.Scheme is "http" or "https" ? uri
        : throw new CommandFailure(ExitCode.BadInput, $"{url} is no address. Use --admin-url http://127.0.0.1:7118.");
}
