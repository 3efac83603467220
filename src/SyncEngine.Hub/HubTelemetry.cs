using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace SyncEngine.Hub;

/// <summary>The names under which OpenTelemetry finds what the hub does.</summary>
public static class HubTelemetry
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "SyncEngine.Hub";

    internal static ActivitySource Activities { get; } = new(Name);

    internal static Meter Meter { get; } = new(Name);
}
