using System.Runtime.CompilerServices;
using SyncEngine.Wire;
using Xunit;

namespace SyncEngine.Tests.Golden;

/// <summary>
/// The protocol's bytes, from seeded sources. A difference means that peers of older builds no longer understand this
/// one; only the words of reasons are free. SYNCENGINE_GOLDEN=write makes the files anew.
/// </summary>
public sealed class TraceTests
{
    static TraceTests()
    {
        if (Environment.GetEnvironmentVariable("SYNCENGINE_GOLDEN") != "write") return;
        foreach (string name in TraceScenarios.All.Keys) File.WriteAllText(PathOf(name), Run(name, new Trace("")));
    }

    public static TheoryData<string> Names() => new(TraceScenarios.All.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void Both_sides_say_what_the_trace_says(string name) => Assert.Equal(Read(name), Run(name, new Trace("")));

    [Theory]
    [MemberData(nameof(Names))]
    public void The_left_side_answers_the_bytes_of_the_trace_as_ever(string name) => AssertAnswers(name, isLeft: true);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_right_side_answers_the_bytes_of_the_trace_as_ever(string name) => AssertAnswers(name, isLeft: false);

    [Theory]
    [MemberData(nameof(Names))]
    public void Both_sides_end_with_the_same_but_for_what_was_refused(string name)
    {
        Dictionary<(string, string), string> ends = Read(name).Split('\n')
            .Where(static line => line.StartsWith('=')).Select(static line => line.Split(' ', 4))
            .ToDictionary(static words => (words[1], words[2]), static words => words[3]);
        Assert.NotEmpty(ends);
        foreach (((string side, string dataset), string holds) in ends)
        {
            bool isRefused = name == "trace-refuse" && dataset == "save";
            if (side == "left") Assert.Equal(!isRefused, holds == ends[("right", dataset)]);
        }
    }

    [Fact]
    public void Every_type_of_frame_has_a_golden()
    {
        IEnumerable<byte> ofTraces = TraceScenarios.All.Keys.SelectMany(name => Trace.MessagesOf(Read(name)))
            .Select(static message => message.Bytes[2]);
        IEnumerable<byte> ofFiles = ((string[])["snapshot.bin", "stored.bin", "bundle.bin"])
            .Select(static name => File.ReadAllBytes(Path.Combine(Folder(), name))[2]);
        Assert.Equal(Enum.GetValues<FrameType>().Select(static type => (byte)type),
            ofTraces.Concat(ofFiles).Distinct().Order());
    }

    internal static string Read(string name) => File.ReadAllText(PathOf(name));

    private static void AssertAnswers(string name, bool isLeft)
    {
        string golden = Read(name);
        Assert.Equal(golden, Run(name, new Trace(golden, scriptsLeft: !isLeft, scriptsRight: isLeft)));
    }

    private static string Run(string name, Trace trace)
    {
        using (trace) TraceScenarios.All[name](trace);
        return trace.Text;
    }

    private static string PathOf(string name) => Path.Combine(Folder(), name + ".txt");

    private static string Folder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
