using System.Security.Cryptography;
using System.Text;
using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Tokens;
using Xunit;

namespace SyncEngine.Hub.Tests.Tokens;

public sealed class DeviceProofTests
{
    [Fact]
    public void Only_canonical_keys_of_P256_are_read()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        byte[] spki = key.ExportSubjectPublicKeyInfo();
        Assert.Equal(spki, DeviceProof.ReadKey(DeviceProof.Encode(spki)));
        byte[] offCurve = [.. spki], longForm = [0x30, 0x81, spki[1], .. spki[2..]];
        offCurve[^1] ^= 1;
        foreach (byte[] wrong in (byte[][])[[], [1, 2, 3], [.. spki, 0], spki[1..], longForm, offCurve, new byte[91],
            other.ExportSubjectPublicKeyInfo(), key.ExportECPrivateKey(), [0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF]])
            Assert.Null(DeviceProof.ReadKey(DeviceProof.Encode(wrong)));
        Assert.Null(DeviceProof.ReadKey("***"));
        Assert.Null(DeviceProof.ReadKey(new string('A', 10_000)));
    }

    [Fact]
    public void Every_part_is_signed_and_only_64_bytes_are_a_signature()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] spki = key.ExportSubjectPublicKeyInfo(), signed = Encoding.UTF8.GetBytes("syncengine-proof-1\nguest\ngame\nc\ne");
        string good = DeviceProof.Encode(key.SignData(signed, HashAlgorithmName.SHA256));
        string der = DeviceProof.Encode(key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        Assert.True(DeviceProof.Verify(spki, "guest", "game", "c", "e", good));
        Assert.False(DeviceProof.Verify(spki, "refresh", "game", "c", "e", good));
        Assert.False(DeviceProof.Verify(spki, "guest", "other", "c", "e", good));
        Assert.False(DeviceProof.Verify(spki, "guest", "game", "d", "e", good));
        Assert.False(DeviceProof.Verify(spki, "guest", "game", "c", "f", good));
        foreach (string wrong in (string[])[der, "", "***", DeviceProof.Encode(new byte[64]), DeviceProof.Encode(new byte[63]),
            good + "AA"])
            Assert.False(DeviceProof.Verify(spki, "guest", "game", "c", "e", wrong));
    }

    [Fact]
    public async Task The_admin_key_is_told_once_kept_as_a_hash_and_replaced_on_demand()
    {
        var rows = new HubRows();
        Assert.False(new StoredAdminKey(rows).Check(""));
        string key = (await new StoredAdminKey(rows).EnsureAsync(false, default))!;
        var admin = new StoredAdminKey(rows);
        Assert.Null(await admin.EnsureAsync(false, default));
        Assert.True(admin.Check(key));
        Assert.False(admin.Check(key[..^1]));
        Assert.False(admin.Check(""));
        Assert.DoesNotContain(key, Encoding.UTF8.GetString((await rows.ReadAsync("admin/key"))!), StringComparison.Ordinal);
        string next = (await admin.EnsureAsync(true, default))!;
        Assert.False(admin.Check(key));
        Assert.True(admin.Check(next));
    }
}
