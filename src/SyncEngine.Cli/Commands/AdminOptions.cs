using System.CommandLine;

namespace SyncEngine.Cli.Commands;

/// <summary>The options by which commands reach a hub's admin interface.</summary>
internal static class AdminOptions
{
    private static readonly Option<string?> _hub = new("--hub")
    {
        Description = $"The hub's admin address; without it {AdminClient.AddressVariable}, or {AdminClient.DefaultAddress}.",
        HelpName = "URL",
    };

    private static readonly Option<string?> _key = new("--key")
    {
        Description = "The admin key. Others on this machine may see it: better use --key-file, or set "
            + $"{AdminClient.KeyVariable}.",
        HelpName = "KEY",
    };

    private static readonly Option<string?> _keyFile = new("--key-file")
    {
        Description = "A file that holds the admin key.", HelpName = "FILE",
    };

    /// <summary>A command that has these options too.</summary>
    public static Command WithAdminOptions(this Command command)
    {
        foreach (Option option in (Option[])[_hub, _key, _keyFile]) command.Options.Add(option);
        return command;
    }

    /// <summary>Makes a client of the hub that the options name.</summary>
    public static AdminClient Open(ParseResult arguments)
    {
        string? key = arguments.GetValue(_key), file = arguments.GetValue(_keyFile);
        if (key is not null && file is not null)
            throw CommandFailure.BadInput("Give the admin key once: by --key or by --key-file.");
        return new AdminClient(arguments.GetValue(_hub), file is null ? key : InputFile.ReadLine(file));
    }
}
