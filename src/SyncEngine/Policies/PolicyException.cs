namespace SyncEngine.Policies;

/// <summary>A policy document that is not as it must be; the message says where and what to do.</summary>
public sealed class PolicyException : FormatException
{
    /// <summary>Makes one.</summary>
    public PolicyException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one that another failure led to.</summary>
    public PolicyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
