using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
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
        Option<string?> data = new("--data")
        {
            Description = "The folder with the hub's file; made if there is none. Without it SyncHub:DataFolder of the settings, "
                + "or syncengine-hub here.",
            HelpName = "DIR",
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
            terminal, ParseAll(arguments.GetRequiredValue(urls)), Parse(arguments.GetRequiredValue(adminUrl), "--admin-url"),
            arguments.GetValue(cognito) ? Parse(arguments.GetRequiredValue(cognitoUrl), "--cognito-urls") : null,
            arguments.GetValue(data), arguments.GetValue(newKey), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(Terminal terminal, IReadOnlyList<BindingAddress> urls, BindingAddress admin,
        BindingAddress? cognito, string? folder, bool replacesKey, CancellationToken cancellationToken)
    {
        // These interfaces are told from the rest by their ports.
        RequirePortOfItsOwn(admin, "--admin-url", cognito is null ? urls : [.. urls, cognito]);
        if (cognito is not null) RequirePortOfItsOwn(cognito, "--cognito-urls", urls);
        await using WebApplication app = Build(urls, cognito, admin, folder);
        SyncHubOptions options = app.Services.GetRequiredService<IOptions<SyncHubOptions>>().Value;
        if (options.AdminKey is not null && replacesKey)
            throw CommandFailure.BadInput("The admin key is set by SyncHub:AdminKey: change it there.");
        await StartAsync(app, cancellationToken);
        ICollection<string> bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;

        List<string> addresses = [.. bound];

        // Ports that the system chose are known only now.
        if (admin.Port == 0) options.AdminPort = new Uri(addresses[^1]).Port;
        if (cognito?.Port == 0) options.Cognito.Port = new Uri(addresses[^2]).Port;

        // A key is made once all else has gone well, so that nobody has one that was never shown.
        string? key = options.AdminKey is null
            ? await app.Services.GetRequiredService<StoredAdminKey>().EnsureAsync(replacesKey, cancellationToken) : null;
        Greet(terminal, options, addresses, cognito is not null, key);
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

    private static WebApplication Build(
        IReadOnlyList<BindingAddress> urls, BindingAddress? cognito, BindingAddress admin, string? folder)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);

        // Why it does not start is told in a sentence.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        // Addresses in the settings would replace all of ours, and the admin interface would answer at the last of theirs.
        IConfigurationSection server = builder.Configuration.GetSection("Kestrel");
        if (server.GetSection("Endpoints").GetChildren().Any())
            throw CommandFailure.BadInput("The settings name addresses in Kestrel:Endpoints, which would replace those of --urls "
                + "and --admin-url: take them out, and give --urls. Certificates may stay in Kestrel:Certificates.");
        IEnumerable<BindingAddress> addresses = cognito is null ? [.. urls, admin] : [.. urls, cognito, admin];
        builder.WebHost.UseUrls([.. addresses.Select(static address => address.ToString())]);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // Read once, or addresses that are added to the settings later would open at once.
            kestrel.Configure(server, reloadOnChange: false);
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        });
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = _stopMax);
        builder.Services.AddSyncHub(options =>
        {
            options.DataFolder = folder ?? options.DataFolder;
            options.AdminPort = admin.Port == 0 ? null : admin.Port;
            options.Cognito.Port = cognito is null or { Port: 0 } ? null : cognito.Port;
        });
        WebApplication app = builder.Build();
        app.UseWebSockets();
        try
        {
            app.MapSyncHub("/sync");
        }
        catch (OptionsValidationException e)
        {
            throw CommandFailure.BadInput(string.Join(" ", e.Failures));
        }
        catch (InvalidOperationException e) when (e.InnerException is ArgumentException or FormatException)
        {
            throw CommandFailure.BadInput($"{e.Message} Correct it in appsettings.json or in the environment.");
        }

        app.MapSyncHubAdmin();
        if (cognito is not null) app.MapCognitoApi();
        app.MapHealthChecks("/health");
        return app;
    }

    private static async Task StartAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new CommandFailure(ExitCode.OperationFailed,
                $"{e.Message} Choose other addresses with --urls, --admin-url and --cognito-urls.");
        }
        catch (InvalidOperationException e) when (e.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase))
        {
            throw CommandFailure.BadInput("An https address needs a certificate: name its file in "
                + "Kestrel__Certificates__Default__Path and its Password, or use http behind a proxy that ends TLS.");
        }
    }

    private static void Greet(Terminal terminal, SyncHubOptions options, List<string> bound, bool hasCognito, string? key)
    {
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
            + "\"game\"))");
        if (options.Issuer is null
            && bound.SkipLast(hasCognito ? 2 : 1).Any(static address => new Uri(address).Host is "0.0.0.0" or "[::]"))
        {
            terminal.Out.WriteLine("  For other machines: set SyncHub__Issuer to the address by which devices reach this hub, "
                + "such as https://sync.example.com; logins and other services name the hub by it.");
        }
    }

    private static IReadOnlyList<BindingAddress> ParseAll(string urls) =>
        urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } all
            ? [.. all.Select(static url => Parse(url, "--urls"))]
            : throw CommandFailure.BadInput($"--urls names no address. Use --urls {DefaultUrls}.");

    private static BindingAddress Parse(string url, string option)
    {
        try
        {
            BindingAddress address = BindingAddress.Parse(url);
            if (address.Scheme is "http" or "https" && address.PathBase.Length == 0
                && address.Port is >= 0 and <= ushort.MaxValue && IsOfThisMachine(address.Host)) return address;
        }
        catch (FormatException)
        {
            // As wrong as the others.
        }

        string example = option switch { "--urls" => DefaultUrls, "--admin-url" => DefaultAdminUrl, _ => DefaultCognitoUrl };
        throw CommandFailure.BadInput($"{url} is no address to listen at. Use such as {option} {example}; 0.0.0.0 or [::] in it "
            + "means every address of this machine.");
    }

    private static void RequirePortOfItsOwn(BindingAddress address, string option, IReadOnlyList<BindingAddress> others)
    {
        if (address.Port != 0 && others.Any(other => other.Port == address.Port))
            throw CommandFailure.BadInput(
                $"{option} names port {address.Port}, as another address does: give it a port of its own.");
    }

    /// <summary>Any other name, also a mistyped address, would listen at every address of this machine.</summary>
    private static bool IsOfThisMachine(string host) => host is "localhost" or "*" or "+"
        || (IPAddress.TryParse(host, out _)
            && (host.Contains(':', StringComparison.Ordinal) || host.Count(static c => c == '.') == 3));
}
