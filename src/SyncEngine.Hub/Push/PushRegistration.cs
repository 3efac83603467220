namespace SyncEngine.Hub.Push;

/// <summary>A device that wants to be woken.</summary>
/// <param name="Platform">The push service's name, as a sender gives it.</param>
/// <param name="Token">The device's token there.</param>
/// <param name="Datasets">Patterns of the datasets it hears of.</param>
internal sealed record PushRegistration(string Platform, string Token, IReadOnlyList<string> Datasets)
{
    private const int TokenLengthMax = 4096;

    /// <summary>For a device that is told of each dataset by its count: what else it is told each time. Null for any
    /// other.</summary>
    public IReadOnlyDictionary<string, string>? Data { get; init; }

    private const int PatternsMax = 32;

    /// <summary>Whether a dataset is among those that the device wants to hear of.</summary>
    public bool Includes(string dataset) => Datasets.Any(pattern => DatasetPattern.Matches(pattern, dataset));

    /// <summary>Checks what a device asks for.</summary>
    /// <exception cref="ArgumentException">It cannot be taken; the message says why.</exception>
    public void Check()
    {
        if (Platform is not { Length: > 0 and <= 32 }
            || !Platform.All(static letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-'))
        {
            throw new ArgumentException("A push service's name has 1 to 32 of the characters a-z 0-9 and -.");
        }

        if (Token is not { Length: > 0 and <= TokenLengthMax } || !Token.All(static letter => letter is > ' ' and <= '~'))
            throw new ArgumentException("A device's token has 1 to 4,096 visible ASCII characters.");
        if (Datasets is not { Count: > 0 and <= PatternsMax }
            || !Datasets.All(static pattern => pattern is not null && DatasetPattern.IsValid(pattern)))
        {
            throw new ArgumentException("A device subscribes with 1 to 32 patterns, each of 1 to 128 of the characters "
                + "A-Z a-z 0-9 _ . : - and *.");
        }
    }
}
