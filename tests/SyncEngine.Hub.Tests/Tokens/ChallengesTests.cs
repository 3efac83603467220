using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Tokens;
using Xunit;

namespace SyncEngine.Hub.Tests.Tokens;

public sealed class ChallengesTests
{
    private readonly HubClock _clock = new();
    private readonly HubRows _rows = new();

    [Fact]
    public async Task It_is_used_once_even_by_many_at_once_and_after_a_restart()
    {
        string text;
        using (var challenges = new Challenges(_rows, _clock))
        {
            text = await CreateAsync(challenges);
            bool[] used = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
                Task.Run(() => challenges.TryUseAsync("proof", "game", text, default).AsTask())));
            Assert.Single(used, once => once);
        }

        using var restarted = new Challenges(_rows, _clock);
        Assert.False(await restarted.TryUseAsync("proof", "game", text, default));
    }

    [Fact]
    public async Task It_outlives_a_restart()
    {
        string text;
        using (var challenges = new Challenges(_rows, _clock)) text = await CreateAsync(challenges);
        using var restarted = new Challenges(_rows, _clock);
        Assert.True(await restarted.TryUseAsync("proof", "game", text, default));
        using var foreign = new Challenges(new HubRows(), _clock);
        Assert.False(await foreign.TryUseAsync("proof", "game", await CreateAsync(restarted), default));
    }

    [Fact]
    public async Task It_is_for_its_purpose_and_pool_alone_and_expires()
    {
        using var challenges = new Challenges(_rows, _clock);
        string text = await CreateAsync(challenges);
        Assert.False(await challenges.TryUseAsync("nonce", "game", text, default));
        Assert.False(await challenges.TryUseAsync("proof", "other", text, default));
        _clock.Advance(Challenges.ChallengeLife);
        Assert.False(await challenges.TryUseAsync("proof", "game", text, default));
    }

    [Fact]
    public async Task No_change_of_it_is_taken_nor_is_another_spelling_a_second_use()
    {
        using var challenges = new Challenges(_rows, _clock);
        string text = await CreateAsync(challenges);
        foreach (string wrong in (string[])["", "x", "====", text + "A", text[1..], text + text, new('A', 54), "\0",
            "ä" + text[1..]])
            Assert.False(await challenges.TryUseAsync("proof", "game", wrong, default), wrong);
        int taken = 0;
        for (int i = 0; i < text.Length; i++)
        {
            string changed = text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..];
            if (await challenges.TryUseAsync("proof", "game", changed, default)) taken++;
        }

        if (await challenges.TryUseAsync("proof", "game", text, default)) taken++;
        Assert.Equal(1, taken);
    }

    [Fact]
    public async Task What_was_used_is_forgotten_once_it_has_expired_and_not_before()
    {
        using var challenges = new Challenges(_rows, _clock);
        Assert.True(await challenges.TryUseAsync("proof", "game", await CreateAsync(challenges), default));
        await challenges.RunAsync(default);
        Assert.Single(await _rows.ReadRangeAsync("used/", null, 10));
        _clock.Advance(Challenges.ChallengeLife + TimeSpan.FromSeconds(1));
        await challenges.RunAsync(default);
        Assert.Empty(await _rows.ReadRangeAsync("used/", null, 10));
    }

    private static async Task<string> CreateAsync(Challenges challenges) =>
        (await challenges.CreateAsync("proof", "game", Challenges.ChallengeLife, default)).Text;
}
