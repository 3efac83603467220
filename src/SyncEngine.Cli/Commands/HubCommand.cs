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
    private const string DefaultCognitoUrl = "http://127.0.0.1:7119";
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
        Option<bool> cognito = new("--cognito")
        {
            Description = "Answer clients of Amazon Cognito Identity and Sync too (docs/COGNITO.md). Developer keys are "
                + "settings: SyncHub__Cognito__DeveloperKeys__0__AccessKeyId and ...__SecretAccessKey.",
        };
        Option<string> cognitoUrl = new("--cognito-urls")
        {
            Description = "Where those clients reach it: one address with a port of its own.",
            HelpName = "URL", DefaultValueFactory = static _ => DefaultCognitoUrl,
        };
        Option<bool> newKey = new("--new-admin-key") { Description = "Replace the admin key, and print the new one." };
        var command = new Command("hub", "Run a hub: all devices of all your app's users sync through it. One process, one "
            + "folder. Settings come from appsettings.json and the environment too (SyncHub__...). Ctrl+C stops it; "
                + "nothing that a "
            + "device was told is saved is lost.") { urls, adminUrl, data, cognito, cognitoUrl, newKey };
        command.SetAction((arguments, cancellationToken) => RunAsync(
            terminal, arguments.GetRequiredValue(urls), arguments.GetRequiredValue(adminUrl), arguments.GetRequiredValue(data),
            arguments.GetValue(cognito) ? arguments.GetRequiredValue(cognitoUrl) : null, arguments.GetValue(newKey),
            cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        Terminal terminal, string urls, string adminUrl, string folder, string? cognitoUrl, bool replacesKey,
        CancellationToken cancellationToken)
    {
        Uri admin = Parse(adminUrl, "--admin-url", DefaultAdminUrl);
        Uri? cognito = cognitoUrl is null ? null : Parse(cognitoUrl, "--cognito-urls", DefaultCognitoUrl);
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        string[] forCognito = cognitoUrl is null ? [] : [cognitoUrl];
        builder.WebHost.UseUrls([.. urls.Split(';', StringSplitOptions.RemoveEmptyEntries), .. forCognito, adminUrl]);
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        });
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = _stopMax);
        builder.Services.AddSyncHub(hub =>
        {
            hub.DataFolder = folder;
            hub.AdminPort = admin.Port == 0 ? null : admin.Port;
            hub.Cognito.Port = cognito is null or { Port: 0 } ? null : cognito.Port;
        });
        await using WebApplication app = builder.Build();
        app.UseWebSockets();
        app.MapSyncHub("/sync");
        app.MapSyncHubAdmin();
        if (cognito is not null) app.MapCognitoApi();
        app.MapHealthChecks("/health");
        string? key = await app.Services.GetRequiredService<StoredAdminKey>().EnsureAsync(replacesKey, cancellationToken);
        await StartAsync(app, cancellationToken);
        ICollection<string> bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        List<string> addresses = [.. bound];

        // Ports that the system chose are known only now.
        SyncHubOptions options = app.Services.GetRequiredService<IOptions<SyncHubOptions>>().Value;
        if (admin.Port == 0) options.AdminPort = new Uri(addresses[^1]).Port;
        if (cognito?.Port == 0) options.Cognito.Port = new Uri(addresses[^2]).Port;
        Greet(terminal, app, addresses, cognito is not null, key);
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
                $"{e.Message} Choose other addresses with --urls, --admin-url and --cognito-urls.");
        }
    }

    private static void Greet(Terminal terminal, WebApplication app, List<string> bound, bool hasCognito, string? key)
    {
        SyncHubOptions options = app.Services.GetRequiredService<IOptions<SyncHubOptions>>().Value;
        string admin = bound[^1];
        terminal.Out.WriteLine($"Hub of {Path.GetFullPath(options.DataFolder)}");
        foreach (string address in bound.SkipLast(hasCognito ? 2 : 1))
            terminal.Out.WriteLine($"  devices  {address}/sync   health "
            + $"{address}/health");
        if (hasCognito) terminal.Out.WriteLine($"  cognito  {bound[^2]}");
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

    private static Uri Parse(string url, string option, string example) => Uri.TryCreate(
        url.Replace("*", "localhost", StringComparison.Ordinal),
        UriKind.Absolute,
        out Uri? uri) && uri.Scheme is "http" or "https" ? uri
        : throw new CommandFailure(ExitCode.BadInput, $"{url} is no address. Use {option} {example}.");
}
