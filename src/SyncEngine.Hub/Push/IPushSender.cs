namespace SyncEngine.Hub.Push;

/// <summary>
/// Wakes devices over a push service. The hub brings senders for APNs and FCM; register another one with the app's services for
/// another service. Called from many threads at once.
/// </summary>
public interface IPushSender
{
    /// <summary>The service's name, as registrations of devices give it, for instance "apns": [a-z0-9-], 1 to 32.</summary>
    string Platform { get; }

    /// <summary>Sends one push. The hub tries again, where the result says so.</summary>
    /// <param name="message">To whom and about what.</param>
    /// <param name="cancellationToken">The hub stops.</param>
    ValueTask<PushResult> SendAsync(PushMessage message, CancellationToken cancellationToken);
}
