namespace SyncEngine.LiteDB;

/// <summary>
/// Renaming over an existing file, which the older target has only in a form that also copies attributes.
/// </summary>
internal static class FileMoves
{
    public static void Replace(string from, string to)
    {
#if NET
        File.Move(from, to, overwrite: true);
#else
        if (File.Exists(to)) File.Replace(from, to, null);
        else File.Move(from, to);
#endif
    }
}
