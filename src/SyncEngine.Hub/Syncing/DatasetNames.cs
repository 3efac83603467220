namespace SyncEngine.Hub.Syncing;

/// <summary>Names of datasets that a hub takes: they appear in policies, addresses and logs.</summary>
internal static class DatasetNames
{
    public const int LengthMax = 128;

    /// <summary>1 to 128 of A-Z a-z 0-9 _ . : - without a leading dot.</summary>
    public static bool IsValid(string name) => name.Length is > 0 and <= LengthMax && name[0] != '.'
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or ':' or '-');
}
