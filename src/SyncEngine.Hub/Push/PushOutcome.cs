namespace SyncEngine.Hub.Push;

/// <summary>What a push service did with a push.</summary>
public enum PushOutcome
{
    /// <summary>It took it.</summary>
    Sent = 1,

    /// <summary>It could not be reached or is busy: try again.</summary>
    Retry = 2,

    /// <summary>The token is not valid (any more): the registration is removed.</summary>
    InvalidToken = 3,

    /// <summary>It refused for another reason; trying again will not help.</summary>
    Refused = 4,
}
