using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SyncEngine.Causality;
using SyncEngine.Hub.Push;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.Push;

/// <summary>What the tests of this room share.</summary>
internal static class PushFixture
{
    public const string Pool = "game";

    public static IdentityId Ann { get; } = new(1, 1);

    public static IdentityId Bob { get; } = new(2, 2);

    public static string Device(int number) => number.ToString("x32", CultureInfo.InvariantCulture);

    public static HubChange Change(IdentityId identity, string dataset, long revision, string? device = null) =>
        new(Pool, identity, dataset, revision, device, 1_772_366_400_000);

    public static ChangeFeed Feed(HubRows rows, TimeProvider time, ChangeFeedOptions? options = null,
        Func<string, bool>? isKept = null) => new(rows, time, NullLogger<ChangeFeed>.Instance, options, isKept);

    public static ChangeHub Hub(ChangeFeed feed, DevicePush? devices = null, int capacity = 65_536) =>
        new(feed, devices, NullLogger<ChangeHub>.Instance, capacity);

    public static Webhooks Webhooks(HubRows rows, ChangeFeed feed, HttpClient http, TimeProvider time) =>
        new(rows, feed, http, time, RandomSource.Seeded(1), NullLogger<Webhooks>.Instance);

    /// <summary>Checks a request of a webhook as a receiver does.</summary>
    public static void AssertSigned(ReceivedRequest received, string secret, TimeProvider time)
    {
        string id = received.Headers["webhook-id"], seconds = received.Headers["webhook-timestamp"];
        Assert.DoesNotContain('.', id);
        Assert.InRange(long.Parse(seconds, CultureInfo.InvariantCulture),
            time.GetUtcNow().ToUnixTimeSeconds() - 300, time.GetUtcNow().ToUnixTimeSeconds() + 300);
        using var hmac = new HMACSHA256(Convert.FromBase64String(secret["whsec_".Length..]));
        string expected = Convert.ToBase64String(
            hmac.ComputeHash(Encoding.UTF8.GetBytes($"{id}.{seconds}.{Encoding.UTF8.GetString(received.Body)}")));
        Assert.Contains("v1," + expected, received.Headers["webhook-signature"].Split(' '));
    }

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(TimeSpan.FromSeconds(30));

    public static Task Soon(this Task task) => task.WaitAsync(TimeSpan.FromSeconds(30));
}
