namespace SyncEngine.Hub.Push;

/// <summary>Names of datasets with wildcards: "*" stands for any characters, also none; all else for itself.</summary>
internal static class DatasetPattern
{
    /// <summary>Longest pattern.</summary>
    public const int LengthMax = 128;

    /// <summary>Whether a text is a pattern: 1 to 128 of the characters of dataset names, and "*".</summary>
    public static bool IsValid(string pattern) => pattern.Length is > 0 and <= LengthMax
        && pattern.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or '.' or ':' or '-' or '*');

    /// <summary>Whether a name matches. At most the product of both lengths in steps.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int at = 0, star = -1, resume = 0;
        for (int place = 0; place < name.Length;)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                (star, resume) = (at++, place);
            }
            else if (at < pattern.Length && pattern[at] == name[place])
            {
                (at, place) = (at + 1, place + 1);
            }
            else
            {
                if (star < 0) return false;
                (at, place) = (star + 1, ++resume);
            }
        }

        return pattern[at..].TrimStart('*').IsEmpty;
    }
}
