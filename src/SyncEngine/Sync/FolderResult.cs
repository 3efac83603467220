using SyncEngine.Causality;
using SyncEngine.Identities;

namespace SyncEngine.Sync;

/// <summary>What one round with a shared folder did.</summary>
public sealed record FolderResult
{
    /// <summary>Whose files were exchanged.</summary>
    public IdentityId Identity { get; init; }

    /// <summary>Whether the current guest took the folder's identity in this round.</summary>
    public bool HasAdopted { get; init; }

    /// <summary>How many files were opened; 0 where the folder is as it was at the last round.</summary>
    public int FilesRead { get; init; }

    /// <summary>How many files were written.</summary>
    public int FilesWritten { get; init; }

    /// <summary>How many own files were removed, because newer own ones hold all that they held.</summary>
    public int FilesRemoved { get; init; }

    /// <summary>Bytes read.</summary>
    public long BytesRead { get; init; }

    /// <summary>Bytes written.</summary>
    public long BytesWritten { get; init; }

    /// <summary>Changes that came: how many are here now that were not before.</summary>
    public long ChangesReceived { get; init; }

    /// <summary>Changes that went: how many the folder's files hold now that they did not before.</summary>
    public long ChangesSent { get; init; }

    /// <summary>What could not be used, and why; each is tried again once it changes, and each minute.</summary>
    public IReadOnlyList<SkippedFile> Skipped { get; init; } = [];

    /// <summary>Datasets of which files are here that build on files which have not arrived.</summary>
    public IReadOnlyList<string> Waiting { get; init; } = [];

    /// <summary>Other identities that have files in the folder. Theirs are neither read nor touched.</summary>
    public IReadOnlyList<IdentityId> OtherIdentities { get; init; } = [];

    /// <summary>Whether everything in the folder is here, and everything here is in the folder.</summary>
    public bool IsComplete => Skipped.Count == 0 && Waiting.Count == 0;
}

/// <summary>Something of a shared folder that could not be used.</summary>
/// <param name="Name">The file, relative to the folder.</param>
/// <param name="Reason">Why.</param>
public sealed record SkippedFile(string Name, SyncException Reason);
