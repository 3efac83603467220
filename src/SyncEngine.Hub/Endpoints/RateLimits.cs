using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using SyncEngine.Hub.Pools;

namespace SyncEngine.Hub.Endpoints;

/// <summary>
/// Limits requests by client address and by pool. As endpoint filters, since the framework's middleware would need a place in the
/// surrounding app's pipeline and takes one partition an endpoint. Buckets that are full again are forgotten after some
/// seconds, so
/// that memory follows the sources of the last seconds.
/// </summary>
internal sealed class RateLimits : IDisposable
{
    /// <summary>The route value that names a pool.</summary>
    public const string PoolRouteValue = "pool";

    private readonly PoolRegistry _pools;
    private readonly PartitionedRateLimiter<HttpContext> _admin;
    private readonly PartitionedRateLimiter<HttpContext> _byAddress;
    private readonly PartitionedRateLimiter<HttpContext> _byPool;
    private readonly PartitionedRateLimiter<HttpContext> _client;

    public RateLimits(IOptions<SyncHubOptions> options, PoolRegistry pools)
    {
        _pools = pools;
        _admin = Make(SourceOf, options.Value.AdminRatePerAddress);
        _byAddress = Make(SourceOf, options.Value.RatePerAddress);
        _byPool = Make(PoolOf, options.Value.RatePerPool);
        _client = PartitionedRateLimiter.CreateChained(_byAddress, _byPool);
    }

    /// <summary>For the admin interface: by address.</summary>
    public ValueTask<object?> GuardAdminAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        GuardAsync(_admin, context, next);

    /// <summary>For clients: by address, then by the pool that the route names.</summary>
    public ValueTask<object?> GuardClientAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        GuardAsync(_client, context, next);

    /// <summary>For clients outside of a filter, by address: the seconds to wait where this is too much; null to go on.</summary>
    public int? RefuseAddress(HttpContext context) => Refuse(_byAddress, context);

    /// <summary>As <see cref="RefuseAddress"/>, by the pool that a request turned out to be about; null for none.</summary>
    public int? RefusePool(HttpContext context, string? pool)
    {
        context.Request.RouteValues[PoolRouteValue] = pool;
        return Refuse(_byPool, context);
    }

    public void Dispose()
    {
        _client.Dispose();
        _byPool.Dispose();
        _byAddress.Dispose();
        _admin.Dispose();
    }

    /// <summary>An IPv4 address; of IPv6 the 64 bits that one customer of a provider usually gets.</summary>
    public static string SourceOf(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address.ToString();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return FormattableString.Invariant($"{BinaryPrimitives.ReadUInt64BigEndian(bytes):x16}/64");
    }

    private static async ValueTask<object?> GuardAsync(
        PartitionedRateLimiter<HttpContext> limiter, EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        return Refuse(limiter, context.HttpContext) is { } seconds
            ? Problems.TooManyRequests(seconds) : await next(context).ConfigureAwait(false);
    }

    private static int? Refuse(PartitionedRateLimiter<HttpContext> limiter, HttpContext context)
    {
        using RateLimitLease lease = limiter.AttemptAcquire(context);
        if (lease.IsAcquired) return null;
        TimeSpan wait = lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan told) ? told : TimeSpan.Zero;
        return (int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, int.MaxValue);
    }

    private static PartitionedRateLimiter<HttpContext> Make(Func<HttpContext, string> keyOf, RequestRate rate)
    {
        if (rate.Burst == 0)
            return PartitionedRateLimiter.Create<HttpContext, string>(static _ => RateLimitPartition.GetNoLimiter(""));

        // One token a period, and not many a second, lets rates below one a second be said too.
        TimeSpan period = TimeSpan.FromTicks(Math.Max(1, (long)(TimeSpan.TicksPerSecond / rate.PerSecond)));
        return PartitionedRateLimiter.Create<HttpContext, string>(
            context => RateLimitPartition.GetTokenBucketLimiter(keyOf(context), _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = rate.Burst, TokensPerPeriod = 1, ReplenishmentPeriod = period, QueueLimit = 0,
            }), StringComparer.Ordinal);
    }

    private static string SourceOf(HttpContext context) => SourceOf(context.Connection.RemoteIpAddress);

    /// <summary>All names that are no pool's share one bucket: made-up names cost no memory.</summary>
    private string PoolOf(HttpContext context) =>
        context.GetRouteValue(PoolRouteValue) is string name && _pools.Peek(name) is not null ? name : "";
}
