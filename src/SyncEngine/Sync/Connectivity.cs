using System.Net.NetworkInformation;

namespace SyncEngine.Sync;

/// <summary>Tells when it is worth while to try again.</summary>
internal abstract class Connectivity
{
    public static Connectivity System { get; } = new SystemConnectivity();

    /// <summary>Raised, on any thread, when the network came, went or changed.</summary>
    public event Action? Changed;

    /// <summary>Whether there is any network; peers on this machine can be reached without.</summary>
    public abstract bool IsAvailable { get; }

    protected void RaiseChanged() => Changed?.Invoke();

    private sealed class SystemConnectivity : Connectivity
    {
        public SystemConnectivity()
        {
            try
            {
                NetworkChange.NetworkAvailabilityChanged += (_, _) => RaiseChanged();
                NetworkChange.NetworkAddressChanged += (_, _) => RaiseChanged();
            }
            catch (Exception e) when (e is PlatformNotSupportedException or NetworkInformationException)
            {
                // Such a system does not tell: links try again by their own clock.
            }
        }

        public override bool IsAvailable
        {
            get
            {
                try
                {
                    return NetworkInterface.GetIsNetworkAvailable();
                }
                catch (Exception e) when (e is PlatformNotSupportedException or NetworkInformationException)
                {
                    return true;
                }
            }
        }
    }
}
