using System.Text;
using Spectre.Console;

namespace SyncEngine.Cli;

/// <summary>
/// Where the program reads and writes: results go to the output, everything else to the error stream. Without a
/// terminal, or
/// with NO_COLOR set, it writes plain text.
/// </summary>
internal sealed class Terminal : IDisposable
{
    /// <summary>Names the folder for the store's local state; for tests and portable installations.</summary>
    public const string StateFolderVariable = "SYNCENGINE_STATE_FOLDER";

    private const int PlainWidth = 100;
    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Streams of which none is a terminal.</summary>
    public Terminal(Stream input, Stream output, Stream error)
        : this(input, output, error, Style.Plain, Style.Plain)
    {
    }

    private Terminal(Stream input, Stream output, Stream error, Style outputStyle, Style errorStyle)
    {
        (Input, Output) = (input, output);
        Out = new StreamWriter(output, _utf8) { NewLine = "\n", AutoFlush = true };
        Error = new StreamWriter(error, _utf8) { NewLine = "\n", AutoFlush = true };
        Screen = MakeConsole(Out, outputStyle);
        ErrorScreen = MakeConsole(Error, errorStyle);
    }

    public Stream Input { get; }

    /// <summary>The output as bytes; <see cref="Out"/> keeps nothing back, so both may be used in turn.</summary>
    public Stream Output { get; }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>The output, with tables and colours.</summary>
    public IAnsiConsole Screen { get; }

    /// <summary>The error stream, with colours and progress bars.</summary>
    public IAnsiConsole ErrorScreen { get; }

    /// <summary>The folder for the store's local state; null for the user's local application data.</summary>
    public string? StateFolder { get; init; }

    /// <summary>The process's own streams.</summary>
    public static Terminal OfProcess()
    {
        Console.OutputEncoding = _utf8;
        return new Terminal(
            Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.OpenStandardError(),
            Style.Of(Console.IsOutputRedirected), Style.Of(Console.IsErrorRedirected))
        {
            StateFolder = Environment.GetEnvironmentVariable(StateFolderVariable),
        };
    }

    /// <summary>Shows a progress bar for each step while the work runs; nothing where nobody would see it
    /// move.</summary>
    /// <param name="work">Gets a function that begins a step and returns where to report how much of it is
    /// done.</param>
    public async Task<T> ShowProgressAsync<T>(Func<Func<string, IProgress<double>>, Task<T>> work)
    {
        if (!ErrorScreen.Profile.Capabilities.Ansi) return await work(static _ => Silence.Instance);
        return await ErrorScreen.Progress().AutoClear(true).HideCompleted(false)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(context => work(step => new Bar(context.AddTask(Markup.Escape(step), maxValue: 1))));
    }

    public void Dispose()
    {
        Out.Flush();
        Error.Flush();
    }

    private static IAnsiConsole MakeConsole(TextWriter writer, Style style)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = style.IsColoured ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = style.IsColoured ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = style.IsColoured ? InteractionSupport.Yes : InteractionSupport.No,
            Out = new FixedWidthOutput(writer, style.IsColoured, style.Width),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    /// <summary>Whether a stream takes colours, and how wide its lines are.</summary>
    private readonly record struct Style(bool IsColoured, int Width)
    {
        public static Style Plain => new(false, PlainWidth);

        public static Style Of(bool isRedirected)
        {
            if (isRedirected) return Plain;
            bool isPlain = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
                || Environment.GetEnvironmentVariable("TERM") == "dumb";
            return new Style(!isPlain, Math.Max(40, Console.WindowWidth));
        }
    }

    private sealed class FixedWidthOutput(TextWriter writer, bool isTerminal, int width) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => isTerminal;

        public int Width => width;

        public int Height => 40;

        public void SetEncoding(Encoding encoding)
        {
        }
    }

    private sealed class Bar(ProgressTask task) : IProgress<double>
    {
        public void Report(double value) => task.Value = value;
    }

    private sealed class Silence : IProgress<double>
    {
        public static Silence Instance { get; } = new();

        public void Report(double value)
        {
        }
    }
}
