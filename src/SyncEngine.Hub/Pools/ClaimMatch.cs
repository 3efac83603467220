using System.Text.Json.Serialization;

namespace SyncEngine.Hub.Pools;

/// <summary>How a rule compares a claim. A claim that the login lacks matches nothing, not even <see
/// cref="NotEquals"/>.</summary>
[JsonConverter(typeof(CamelCaseNames<ClaimMatch>))]
public enum ClaimMatch
{
    /// <summary>The claim, or one value of a claim that is a list, is exactly the rule's value.</summary>
    Equals = 1,

    /// <summary>The rule's value is somewhere within the claim, or within one value of a list. For membership in a list use
    /// <see cref="Equals"/>, since <c>admin</c> is within <c>no-admin</c> too.</summary>
    Contains = 2,

    /// <summary>The claim, or one value of a list, begins with the rule's value.</summary>
    StartsWith = 3,

    /// <summary>The login has the claim, and neither it nor any value of a list is the rule's value.</summary>
    NotEquals = 4,
}
