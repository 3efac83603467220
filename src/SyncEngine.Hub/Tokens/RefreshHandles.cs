using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Rows;
using SyncEngine.Identities;

namespace SyncEngine.Hub.Tokens;

/// <summary>
/// Refresh handles: bound to a device's key, valid for 60 days, replaced with each use, and kept as hashes in one row a device.
/// The one before stays usable until its successor is used, because an answer can get lost; whoever presents one older than
/// that has a copy, and the device must start anew.
/// </summary>
/// <remarks>A handle is <c>syr1_</c> and, in base64url, identity (16 bytes), device (16), family (16), secret (24). Only who had
/// a handle of a family can name it, so that nobody else can end it.</remarks>
internal sealed class RefreshHandles(HubRows rows, TimeProvider time) : IPeriodicTask
{
    private const string Mark = "syr1_";
    private const string Prefix = "handle/";
    private const int Bytes = 16 + 16 + 16 + 24;
    private const int CandidatesMax = 4;
    private static readonly TimeSpan _sweepEvery = TimeSpan.FromDays(1);
    private readonly KeyedLocks _locks = new();
    private DateTimeOffset _sweepNext;

    /// <summary>How long a handle lives.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromDays(60);

    public string Name => "forget expired refresh handles";

    /// <summary>Makes a handle for a device.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="id">The identity that the device has now.</param>
    /// <param name="device">The device: 32 hexadecimal digits.</param>
    /// <param name="publicKey">Its key.</param>
    /// <param name="replaced">The handle that it used; null where it proved itself otherwise.</param>
    public async Task<(string Handle, DateTimeOffset Expires)> CreateAsync(
        string pool, IdentityId id, string device, byte[] publicKey, HandleUse? replaced = null)
    {
        IdentityId before = replaced is null ? id : replaced.Id;
        using IDisposable held = await _locks.EnterAsync(pool, default, id, before).ConfigureAwait(false);
        HandleRow? known = replaced is null ? null : await ReadAsync(pool, id, device).ConfigureAwait(false);
        byte[] secret = RandomNumberGenerator.GetBytes(24);
        string hash = Convert.ToHexStringLower(SHA256.HashData(secret));
        var written = new List<KeyValuePair<string, byte[]?>>();
        HandleRow row = new()
        {
            PublicKey = publicKey, Expires = time.GetUtcNow() + Life, Current = [hash],
            Family = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
        };
        if (before != id)
        {
            // The identity was merged since. Until one of the new handles is used, the answer may have been lost.
            if (known?.Origin == before.ToString())
                row = row with { Family = known.Family, Current = Latest(known.Current, hash), Origin = known.Origin };
            else
                row = row with { Origin = before.ToString() };
            written.Add(new(KeyOf(pool, before, device), Encode(
                replaced!.Row with { MovedTo = id.ToString(), Previous = replaced.Hash, Current = [] })));
        }
        else if (known is not null && known.Family == replaced!.Row.Family)
        {
            if (known.Current.Contains(replaced.Hash))
                row = row with { Family = known.Family, Previous = replaced.Hash };
            else if (known.Previous == replaced.Hash)
                row = row with { Family = known.Family, Previous = known.Previous, Current = Latest(known.Current, hash) };
        }

        written.Add(new(KeyOf(pool, id, device), Encode(row)));
        await rows.WriteAsync(written).ConfigureAwait(false);
        return (Write(id, device, row.Family, secret), row.Expires);
    }

    /// <summary>Looks a handle up; null if there is none or it is over. One older than the last but one ends all of its
    /// device.</summary>
    public async Task<HandleUse?> FindAsync(string pool, string handle, CancellationToken cancellationToken)
    {
        if (!TryRead(handle, out IdentityId id, out string device, out string family, out string hash)) return null;
        using IDisposable held = await _locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false);
        if (await ReadAsync(pool, id, device).ConfigureAwait(false) is not { } row || row.Family != family
            || row.Expires <= time.GetUtcNow()) return null;
        bool isGood = row.Current.Contains(hash) || row.Previous == hash;
        string? moved = row.MovedTo;
        if (isGood && moved is not null)
        {
            HandleRow? there = await ReadAsync(pool, IdentityId.Parse(moved), device).ConfigureAwait(false);
            isGood = there?.Origin == id.ToString();
        }

        if (isGood) return new HandleUse(id, device, hash, row);
        var over = new List<KeyValuePair<string, byte[]?>> { new(KeyOf(pool, id, device), null) };
        if (moved is not null) over.Add(new(KeyOf(pool, IdentityId.Parse(moved), device), null));
        await rows.WriteAsync(over).ConfigureAwait(false);
        return null;
    }

    /// <summary>Ends the handles of an identity, or of one of its devices.</summary>
    public async Task RevokeAsync(string pool, IdentityId id, string? device, CancellationToken cancellationToken)
    {
        using IDisposable held = await _locks.EnterAsync(pool, cancellationToken, id).ConfigureAwait(false);
        IReadOnlyList<KeyValuePair<string, byte[]>> found = await rows.ReadRangeAsync(
            device is null ? $"{Prefix}{pool}/{id}/" : KeyOf(pool, id, device), null, int.MaxValue, cancellationToken)
            .ConfigureAwait(false);
        if (found.Count > 0)
            await rows.WriteAsync([.. found.Select(static row => new KeyValuePair<string, byte[]?>(row.Key, null))])
                .ConfigureAwait(false);
    }

    /// <summary>Forgets, once a day, what has expired.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        const int atOnce = 1000;
        DateTimeOffset now = time.GetUtcNow();
        if (now < _sweepNext) return;
        for (string? after = null; ;)
        {
            IReadOnlyList<KeyValuePair<string, byte[]>> found =
                await rows.ReadRangeAsync(Prefix, after, atOnce, cancellationToken).ConfigureAwait(false);
            foreach ((string key, byte[] bytes) in found)
            {
                // A device that starts anew at this moment takes an expired row's place, never a good one's.
                if (Decode(bytes).Expires <= now) await ForgetAsync(key, now, cancellationToken).ConfigureAwait(false);
            }

            if (found.Count < atOnce) break;
            after = found[^1].Key;
        }

        _sweepNext = now + _sweepEvery;
    }

    private async Task ForgetAsync(string key, DateTimeOffset now, CancellationToken cancellationToken)
    {
        string[] parts = key.Split('/');
        using IDisposable held = await _locks.EnterAsync(parts[1], cancellationToken, IdentityId.Parse(parts[2]))
            .ConfigureAwait(false);
        if (await rows.ReadAsync(key, cancellationToken).ConfigureAwait(false) is { } bytes && Decode(bytes).Expires <= now)
            await rows.WriteAsync(new KeyValuePair<string, byte[]?>(key, null)).ConfigureAwait(false);
    }

    private async ValueTask<HandleRow?> ReadAsync(string pool, IdentityId id, string device) =>
        await rows.ReadAsync(KeyOf(pool, id, device)).ConfigureAwait(false) is { } bytes ? Decode(bytes) : null;

    private static IReadOnlyList<string> Latest(IReadOnlyList<string> known, string hash) =>
        [.. known.TakeLast(CandidatesMax - 1), hash];

    private static string KeyOf(string pool, IdentityId id, string device) => $"{Prefix}{pool}/{id}/{device}";

    private static string Write(IdentityId id, string device, string family, ReadOnlySpan<byte> secret)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, id.High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], id.Low);
        Convert.FromHexString(device).CopyTo(bytes[16..]);
        Convert.FromHexString(family).CopyTo(bytes[32..]);
        secret.CopyTo(bytes[48..]);
        return Mark + WebEncoders.Base64UrlEncode(bytes);
    }

    private static bool TryRead(string handle, out IdentityId id, out string device, out string family, out string hash)
    {
        (id, device, family, hash) = (default, "", "", "");
        if (handle.Length != Mark.Length + Bytes * 4 / 3 || !handle.StartsWith(Mark, StringComparison.Ordinal)) return false;
        byte[] bytes;
        try
        {
            bytes = WebEncoders.Base64UrlDecode(handle, Mark.Length, handle.Length - Mark.Length);
        }
        catch (FormatException)
        {
            return false;
        }

        id = new IdentityId(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(8)));
        device = Convert.ToHexStringLower(bytes.AsSpan(16, 16));
        family = Convert.ToHexStringLower(bytes.AsSpan(32, 16));
        hash = Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(48)));
        return true;
    }

    private static byte[] Encode(HandleRow row) => JsonSerializer.SerializeToUtf8Bytes(row, RowJson.Options);

    private static HandleRow Decode(byte[] bytes) => JsonSerializer.Deserialize<HandleRow>(bytes, RowJson.Options)
        ?? throw new InvalidDataException("A refresh handle's row is empty.");
}

/// <summary>The refresh handles of one device of an identity; each as its secret's SHA-256, in hexadecimal digits.</summary>
internal sealed record HandleRow
{
    public required byte[] PublicKey { get; init; }

    /// <summary>Random; changes when the device proves itself anew.</summary>
    public required string Family { get; init; }

    public required DateTimeOffset Expires { get; init; }

    /// <summary>The newest handle; several where answers may have been lost.</summary>
    public required IReadOnlyList<string> Current { get; init; }

    /// <summary>The one that they replaced.</summary>
    public string? Previous { get; init; }

    /// <summary>The identity that this one was merged into, where the device now has its handles.</summary>
    public string? MovedTo { get; init; }

    /// <summary>The identity from which the device came, until it uses a handle of this one.</summary>
    public string? Origin { get; init; }
}

/// <summary>A handle that somebody presented.</summary>
internal sealed record HandleUse(IdentityId Id, string Device, string Hash, HandleRow Row);
