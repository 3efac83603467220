using SyncEngine.LiteDB.Files;

namespace SyncEngine.LiteDB;

/// <summary>How <see cref="LiteDbStorage"/> keeps its file. The defaults suit every app.</summary>
public sealed class LiteDbStorageOptions
{
    /// <summary>
    /// The folder for a few bytes outside the store that reveal a store restored from an older copy of itself. Default:
    /// <c>SyncEngine</c> in the user's local application data. Null, or a folder that cannot be written: none are kept,
    /// and restored copies are recognised by the file's identity only.
    /// </summary>
    public string? LocalStateFolder { get; set; } = DefaultLocalStateFolder();

    internal IFileSystem Files { get; set; } = DiskFileSystem.Instance;

    internal PlantedFaults? Faults { get; set; }

    internal Func<byte[]?> MachineIdentity { get; set; } = NativeCalls.MachineIdentity;

    private static string? DefaultLocalStateFolder()
    {
        var root = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return root.Length == 0 ? null : Path.Combine(root, "SyncEngine");
    }
}
