using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Tokens;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.Tokens;

public sealed class SigningKeysTests
{
    private readonly HubClock _clock = new();
    private readonly HubRows _rows = new();

    [Fact]
    public async Task A_new_key_is_published_before_it_signs_and_the_old_one_while_something_it_signed_lives()
    {
        using var keys = new SigningKeys(_rows, _clock);
        string old = (await keys.CurrentAsync()).KeyId;
        _clock.Advance(SigningKeys.Age - TimeSpan.FromSeconds(1));
        await keys.RunAsync(default);
        Assert.Single(await keys.AllAsync());
        _clock.Advance(TimeSpan.FromSeconds(1));
        await keys.RunAsync(default);
        Assert.Equal(2, (await keys.AllAsync()).Count);
        Assert.Equal(old, (await keys.CurrentAsync()).KeyId);
        _clock.Advance(SigningKeys.LeadTime);
        string next = (await keys.CurrentAsync()).KeyId;
        Assert.NotEqual(old, next);
        _clock.Advance(SigningKeys.SignedLifeMax + AccessCredentials.Skew - TimeSpan.FromSeconds(1));
        await keys.RunAsync(default);
        Assert.Contains(old, await keys.JwksAsync(), StringComparison.Ordinal);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await keys.RunAsync(default);
        Assert.Equal(next, Assert.Single(await keys.AllAsync()).KeyId);
    }

    [Fact]
    public async Task They_survive_reopening_and_their_private_halves_are_not_published()
    {
        string id;
        using (var keys = new SigningKeys(_rows, _clock))
        {
            id = (await keys.CurrentAsync()).KeyId;
            await keys.RotateAsync();
        }

        using var reopened = new SigningKeys(_rows, _clock);
        Assert.Equal(id, (await reopened.CurrentAsync()).KeyId);
        Assert.Equal(2, (await reopened.AllAsync()).Count);
        Assert.DoesNotContain("\"d\"", await reopened.JwksAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_that_ask_first_make_one_key()
    {
        using var keys = new SigningKeys(_rows, _clock);
        string[] ids = await Task.WhenAll(Enumerable.Range(0,
            16).Select(_ => Task.Run(async () => (await keys.CurrentAsync()).KeyId)));
        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task What_was_issued_before_a_revocation_is_refused_also_after_a_restart()
    {
        var revocations = new Revocations(_rows, _clock);
        AccessClaims before = Claims("one"), other = Claims("two");
        Assert.False(await revocations.IsRevokedAsync(before, default));
        await revocations.RevokeAsync("game", before.Id, "one");
        foreach (Revocations one in (Revocations[])[revocations, new Revocations(_rows, _clock)])
        {
            Assert.True(await one.IsRevokedAsync(before, default));
            Assert.False(await one.IsRevokedAsync(other, default));
            Assert.False(await one.IsRevokedAsync(before with { Pool = "other" }, default));
        }

        await revocations.RevokeAsync("game", before.Id, null);
        Assert.True(await revocations.IsRevokedAsync(other, default));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await revocations.IsRevokedAsync(Claims("one"), default));
    }

    [Fact]
    public async Task Revocations_are_kept_until_what_they_concern_has_expired()
    {
        var revocations = new Revocations(_rows, _clock);
        AccessClaims early = Claims("one");
        await revocations.RevokeAsync("game", early.Id, "one");
        await revocations.RevokeAsync("game", early.Id, "two");
        _clock.Advance(SigningKeys.SignedLifeMax);
        await revocations.RevokeAsync("game", early.Id, "two");
        AccessClaims again = Claims("two");
        await revocations.RunAsync(default);
        Assert.True(await new Revocations(_rows, _clock).IsRevokedAsync(early, default));
        _clock.Advance(TimeSpan.FromMinutes(5));
        await revocations.RunAsync(default);
        Assert.False(await new Revocations(_rows, _clock).IsRevokedAsync(early, default));
        Assert.True(await new Revocations(_rows, _clock).IsRevokedAsync(again, default));
    }

    private AccessClaims Claims(string device) => new()
    {
        Pool = "game", Id = new IdentityId(1, 2), Device = device, Role = "guest", KeyThumbprint = "x",
        IssuedAt = DateTimeOffset.FromUnixTimeSeconds(_clock.GetUtcNow().ToUnixTimeSeconds()),
    };
}
