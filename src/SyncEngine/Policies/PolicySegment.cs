namespace SyncEngine.Policies;

/// <summary>One segment of a resource pattern.</summary>
internal readonly struct PolicySegment
{
    private enum Kind
    {
        Literal,
        Prefix,
        Any,
        Rest,
        Variable,
    }

    private readonly Kind _kind;
    private readonly string _text;
    private readonly PolicyVariable _variable;
    private readonly string? _claim;

    private PolicySegment(Kind kind, string text, PolicyVariable variable = default, string? claim = null) =>
        (_kind, _text, _variable, _claim) = (kind, text, variable, claim);

    public bool IsRest => _kind == Kind.Rest;

    /// <summary>The name that a variable stands for; null for other segments.</summary>
    public string? VariableName => _kind == Kind.Variable ? _text[2..^1] : null;

    /// <summary>Reads a segment; null if it is none, with what is wrong.</summary>
    public static PolicySegment? Parse(string text, out string? fault)
    {
        fault = null;
        if (text == "*") return new PolicySegment(Kind.Any, text);
        if (text == "**") return new PolicySegment(Kind.Rest, text);
        if (text.StartsWith("${", StringComparison.Ordinal) && text.EndsWith('}'))
        {
            if (TryParseVariable(text[2..^1], out PolicyVariable variable, out string? claim))
                return new PolicySegment(Kind.Variable, text, variable, claim);
            fault = $"{text} is no variable: there are ${{identity.id}}, ${{pool}}, ${{role}}, ${{device.id}} and "
                + $"${{claim.NAME}}";
            return null;
        }

        int star = text.IndexOf('*');
        if (text.Contains('$')) fault = $"in {text} a variable must be the whole segment between slashes";
        else if (star >= 0 && star != text.Length - 1) fault = $"in {text} an asterisk must come last";
        else if (text.Length == 0) fault = "a segment between slashes is empty";
        if (fault is not null) return null;
        return star < 0 ? new PolicySegment(Kind.Literal, text) : new PolicySegment(Kind.Prefix, text[..^1]);
    }

    public static bool TryParseVariable(string name, out PolicyVariable variable, out string? claim)
    {
        claim = null;
        (variable, bool isKnown) = name switch
        {
            "identity.id" => (PolicyVariable.IdentityId, true),
            "pool" => (PolicyVariable.Pool, true),
            "role" => (PolicyVariable.Role, true),
            "device.id" => (PolicyVariable.DeviceId, true),
            _ => (PolicyVariable.Claim, false),
        };
        if (isKnown || !name.StartsWith("claim.", StringComparison.Ordinal) || name.Length == 6) return isKnown;
        claim = name[6..];

        // Such a name is a slip, as in ${claim.a}${claim.b}: a statement that silently never applies would be worse.
        foreach (char c in claim)
            if (c is '$' or '{' or '}' or '*' || char.IsControl(c) || char.IsWhiteSpace(c)) return false;
        return true;
    }

    /// <summary>Whether a segment of a resource is meant. A variable's value is compared as it is: one with a slash or none at
    /// all matches nothing, and an asterisk in it is an asterisk.</summary>
    public bool Matches(ReadOnlySpan<char> segment, PolicyContext context) => _kind switch
    {
        Kind.Any or Kind.Rest => !segment.IsEmpty,
        Kind.Prefix => segment.StartsWith(_text, StringComparison.Ordinal),
        Kind.Literal => segment.SequenceEqual(_text),
        _ => context.Find(_variable, _claim) is { Length: > 0 } value && segment.SequenceEqual(value),
    };

    /// <summary>Whether it is a variable that stands for nothing.</summary>
    public bool IsMissing(PolicyContext context) =>
        _kind == Kind.Variable && context.Find(_variable, _claim) is not { Length: > 0 };

    /// <summary>Why it does not match, for people.</summary>
    public string Explain(string segment, PolicyContext context)
    {
        if (_kind != Kind.Variable) return $"{segment} is not {_text}{(_kind == Kind.Prefix ? "*" : "")}";
        return context.Find(_variable, _claim) is { Length: > 0 } value ? $"{_text} is {value}, not {segment}"
            : $"{_text} is missing";
    }
}
