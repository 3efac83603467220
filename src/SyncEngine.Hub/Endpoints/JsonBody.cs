using System.Diagnostics.CodeAnalysis;

namespace SyncEngine.Hub.Endpoints;

/// <summary>What a request's body says, or the refusal to send.</summary>
internal readonly struct JsonBody<T>
    where T : class
{
    private readonly T? _value;
    private readonly Problem? _refusal;

    private JsonBody(T? value, Problem? refusal) => (_value, _refusal) = (value, refusal);

    public static implicit operator JsonBody<T>(T value) => new(value, null);

    public static implicit operator JsonBody<T>(Problem refusal) => new(null, refusal);

    /// <summary>The body's value, or else the refusal.</summary>
    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Problem? refusal)
    {
        (value, refusal) = (_value, _refusal);
        if (value is not null) return true;
        return refusal is not null ? false : throw new InvalidOperationException("This body was never read.");
    }
}
