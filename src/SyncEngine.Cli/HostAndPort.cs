using System.Globalization;
using System.Net;

namespace SyncEngine.Cli;

/// <summary>An address as people type it: HOST:PORT, or [IPV6]:PORT.</summary>
internal readonly record struct HostAndPort(string Host, int Port)
{
    /// <exception cref="CommandFailure">It is no address.</exception>
    public static HostAndPort Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            || port > ushort.MaxValue)
            throw CommandFailure.BadInput($"{text} is no address: give HOST:PORT, such as 192.168.1.5:7117.");
        return new HostAndPort(text[..colon].Trim('[', ']'), port);
    }

    /// <summary>Where to listen; a name stands for its first address.</summary>
    public async Task<IPEndPoint> ResolveAsync(CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(Host, out IPAddress? address)) return new IPEndPoint(address, Port);
        IPAddress[] found = await Dns.GetHostAddressesAsync(Host, cancellationToken);
        return new IPEndPoint(found[0], Port);
    }
}
