using System.CommandLine;
using SyncEngine.Cells;
using SyncEngine.Json;
using SyncEngine.Values;

namespace SyncEngine.Cli.Commands;

/// <summary>The arguments and options that several commands take, each made anew for its command.</summary>
internal static class Arguments
{
    public static Argument<string> File(string name = "FILE", string description = "The store's file.") =>
        new(name) { Description = description };

    public static Argument<string> Dataset() => new("DATASET") { Description = "The dataset's name." };

    public static Argument<string?> OptionalDataset() => new("DATASET")
    {
        Description = "The dataset's name; all datasets without it.", Arity = ArgumentArity.ZeroOrOne,
    };

    public static Argument<string> Text(string name, string description) => new(name) { Description = description };

    public static Argument<Value> Json(string name = "JSON", string description = "The value as JSON.") => new(name)
    {
        Description = description,
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = result =>
        {
            try
            {
                return ValueJson.Parse(result.Tokens[0].Value);
            }
            catch (FormatException e)
            {
                result.AddError($"The {name} argument is {Sentence(e.Message)} Quote a text twice: '\"Ann\"'.");
                return default;
            }
        },
    };

    public static Argument<int> Index(string name) => new(name) { Description = "A place in the list, from 0." };

    public static Option<bool> AsJson(string description = "Print JSON for scripts.") =>
        new("--json") { Description = description };

    public static Option<RecordKind?> Kind()
    {
        var option = new Option<RecordKind?>("--kind")
        {
            Description = "The record's kind: " + string.Join(", ", RecordKindName.All.Select(RecordKindName.Of)) + ".",
            HelpName = "KIND",
            CustomParser = result =>
            {
                RecordKind? kind = RecordKindName.Find(result.Tokens[0].Value);
                if (kind is null) result.AddError($"There is no kind {result.Tokens[0].Value}.");
                return kind;
            },
        };
        return option;
    }

    private static string Sentence(string words) =>
        words.StartsWith("not ", StringComparison.Ordinal) ? words.TrimEnd('.') + "." : $"refused: {words.TrimEnd('.')}.";
}
