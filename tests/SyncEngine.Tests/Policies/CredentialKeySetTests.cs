using System.Text.Json.Nodes;
using SyncEngine.Policies;
using Xunit;

namespace SyncEngine.Tests.Policies;

public sealed class CredentialKeySetTests : IDisposable
{
    private readonly CredentialMint _old = new() { KeyId = "old" };
    private readonly CredentialMint _new = new() { KeyId = "new" };

    public void Dispose()
    {
        _old.Dispose();
        _new.Dispose();
    }

    [Fact]
    public void Keys_come_and_go()
    {
        CredentialVerifier verifier = Verifier(_old.KeySet);
        (string old, string next) = (_old.Sign(), _new.Sign());
        Assert.Equal((true, false), (verifier.TryVerify(old, out _), verifier.TryVerify(next, out _)));
        verifier.Update(CredentialMint.KeySetOf(_old.KeyJson(), _new.KeyJson()));
        Assert.Equal((true, true), (verifier.TryVerify(old, out _), verifier.TryVerify(next, out _)));
        verifier.Update(_new.KeySet);
        Assert.Equal((false, true), (verifier.TryVerify(old, out _), verifier.TryVerify(next, out _)));
    }

    [Fact]
    public void Another_key_under_the_same_id_replaces_the_first()
    {
        using var other = new CredentialMint { KeyId = "old" };
        CredentialVerifier verifier = Verifier(_old.KeySet);
        verifier.Update(other.KeySet);
        Assert.False(verifier.TryVerify(_old.Sign(), out _));
        Assert.True(verifier.TryVerify(other.Sign(), out _));
    }

    [Fact]
    public void A_key_set_that_is_none_changes_nothing()
    {
        CredentialVerifier verifier = Verifier(_old.KeySet);
        Assert.Throws<FormatException>(() => verifier.Update("{\"keys\":[]}"));
        Assert.True(verifier.TryVerify(_old.Sign(), out _));
    }

    [Theory]
    [InlineData("kty", "\"RSA\"")]
    [InlineData("crv", "\"P-384\"")]
    [InlineData("use", "\"enc\"")]
    [InlineData("use", "null")]
    [InlineData("alg", "\"ECDH-ES\"")]
    [InlineData("kid", "null")]
    [InlineData("kid", "\"\"")]
    public void Keys_for_something_else_are_passed_over(string member, string value)
    {
        JsonObject key = _new.KeyJson();
        key[member] = JsonNode.Parse(value);
        CredentialVerifier verifier = Verifier(CredentialMint.KeySetOf(_old.KeyJson(), key));
        Assert.True(verifier.TryVerify(_old.Sign(), out _));
        Assert.False(verifier.TryVerify(_new.Sign(), out _));
        Assert.Throws<FormatException>(() => Verifier(CredentialMint.KeySetOf((JsonObject)key.DeepClone())));
    }

    [Theory]
    [InlineData("x", "\"AAAA\"")]
    [InlineData("y", "null")]
    [InlineData("x", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"")]
    [InlineData("x", "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"")]
    public void A_point_that_is_none_is_refused(string member, string value)
    {
        JsonObject key = _old.KeyJson();
        key[member] = JsonNode.Parse(value);
        Assert.Throws<FormatException>(() => Verifier(CredentialMint.KeySetOf(key)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"keys\":{}}")]
    [InlineData("{\"keys\":[1]}")]
    [InlineData("{\"keys\":[],\"keys\":[]}")]
    [InlineData("{\"keys\":[{\"kty\":\"\\ud800\"}]}")]
    [InlineData("\ud800")]
    [InlineData("<html>")]
    public void No_key_set_is_refused(string json) => Assert.Throws<FormatException>(() => Verifier(json));

    [Fact]
    public void Key_sets_are_bounded_and_have_each_id_once()
    {
        Assert.Throws<FormatException>(() => Verifier(_old.KeySet + new string(' ', 64 * 1024)));
        Assert.Throws<FormatException>(() => Verifier(CredentialMint.KeySetOf(_old.KeyJson(), _old.KeyJson())));
        JsonObject[] many = [.. Enumerable.Range(0, 65).Select(i =>
        {
            JsonObject key = _old.KeyJson();
            key["kid"] = $"key {i}";
            return key;
        })];
        Assert.Throws<FormatException>(() => Verifier(CredentialMint.KeySetOf(many)));
    }

    [Fact]
    public void Many_threads_verify_while_the_keys_are_replaced()
    {
        CredentialVerifier verifier = Verifier(_old.KeySet);
        (string valid, string foreign) = (_old.Sign(), _new.Sign());
        int wrong = 0;
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            if (i % 10 == 0) verifier.Update(_old.KeySet);
            if (!verifier.TryVerify(valid, out _) || verifier.TryVerify(foreign, out _)) Interlocked.Increment(ref wrong);
        });
        Assert.Equal(0, wrong);
    }

    private static CredentialVerifier Verifier(string keySet) => new(
        CredentialMint.Issuer, CredentialMint.Audience, keySet, new StandingClock());

    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => CredentialMint.Now;
    }
}
