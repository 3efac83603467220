namespace SyncEngine.Testing;

internal enum StepKind
{
    Write,
    Gather,
    Commit,
    Flush,
    Tick,
    Connect,
    Transmit,
    Cut,
    Split,
    Mend,
    Deceive,
    Restart,
    Crash,
    Tear,
    Jump,
    Copy,
    Save,
    Restore,
    Forget,
    Mail,
    DeliverMail,
}

/// <summary>One step of a history. Whatever it needs it draws from its own seed, and names are taken modulo what there is, so
/// that leaving out other steps leaves it what it was.</summary>
internal readonly record struct Step(StepKind Kind, int First, int Second, int Seed);
