using SyncEngine.Hub.Rows;
using SyncEngine.Hub.Tokens;
using SyncEngine.Identities;
using Xunit;

namespace SyncEngine.Hub.Tests.Tokens;

public sealed class RefreshHandlesTests
{
    private const string Device = "0123456789abcdef0123456789abcdef";
    private static readonly IdentityId _guest = new(1, 2), _account = new(3, 4);
    private readonly HubClock _clock = new();
    private readonly HubRows _rows = new();
    private readonly RefreshHandles _handles;

    public RefreshHandlesTests() => _handles = new RefreshHandles(_rows, _clock);

    [Fact]
    public async Task One_whose_answer_was_lost_works_again()
    {
        string first = await CreateAsync();
        string lost = await UseAsync(first), second = await UseAsync(first);
        Assert.NotEqual(lost, second);
        string third = await UseAsync(second);
        Assert.NotNull(await FindAsync(second));
        Assert.NotNull(await FindAsync(third));
    }

    [Fact]
    public async Task One_that_is_over_ends_its_devices_handles_and_no_others()
    {
        string first = await CreateAsync(), second = await UseAsync(first), third = await UseAsync(second);
        (string other, _) = await _handles.CreateAsync("game", _guest, "ffffffffffffffffffffffffffffffff", [1]);
        Assert.Null(await FindAsync(first));
        Assert.Null(await FindAsync(second));
        Assert.Null(await FindAsync(third));
        Assert.NotNull(await FindAsync(other));
    }

    [Fact]
    public async Task A_theft_is_noticed_across_a_merge()
    {
        string first = await CreateAsync(), second = await UseAsync(first, _account), third = await UseAsync(second, _account);
        Assert.NotNull(await FindAsync(third));
        Assert.Null(await FindAsync(first));
        Assert.Null(await FindAsync(third));
    }

    [Fact]
    public async Task Nothing_is_left_behind_of_a_long_life()
    {
        string handle = await CreateAsync();
        for (int i = 0; i < 20; i++) handle = await UseAsync(handle, i < 5 ? _guest : _account);
        Assert.InRange((await _rows.ReadRangeAsync("handle/", null, 100)).Count, 1, 3);
        _clock.Advance(RefreshHandles.Life);
        string late = await CreateAsync();
        await _handles.RunAsync(default);
        Assert.Single(await _rows.ReadRangeAsync("handle/", null, 100));
        Assert.NotNull(await FindAsync(late));
    }

    [Fact]
    public async Task However_old_a_stolen_one_is_it_is_noticed()
    {
        string first = await CreateAsync(), handle = first;
        for (int i = 0; i < 20; i++) handle = await UseAsync(handle);
        Assert.NotNull(await FindAsync(handle));
        Assert.Null(await FindAsync(first));
        Assert.Null(await FindAsync(handle));
    }

    [Fact]
    public async Task Two_uses_at_once_both_work_until_one_is_used()
    {
        string first = await CreateAsync();
        HandleUse? one = await FindAsync(first), two = await FindAsync(first);
        string a = (await _handles.CreateAsync("game", _guest, Device, [1], one)).Handle;
        string b = (await _handles.CreateAsync("game", _guest, Device, [1], two)).Handle;
        Assert.NotNull(await FindAsync(a));
        string next = await UseAsync(b);
        Assert.NotNull(await FindAsync(next));
        Assert.Null(await FindAsync(a));
    }

    [Fact]
    public async Task Nobody_ends_handles_by_making_one_up()
    {
        string handle = await CreateAsync();
        foreach (int place in new[] { 60, 80 })
        {
            char other = handle[place] == 'A' ? 'B' : 'A';
            string madeUp = handle[..place] + other + handle[(place + 1)..];
            Assert.Null(await FindAsync(madeUp));

            // Who changes the secret alone had a handle of this family: it is a copy that is over, or a broken one.
            Assert.Equal(place == 60, await FindAsync(handle) is not null);
        }
    }

    [Fact]
    public async Task A_device_that_proves_itself_anew_has_only_its_new_handles()
    {
        string first = await CreateAsync(), anew = await CreateAsync();
        Assert.Null(await FindAsync(first));
        Assert.NotNull(await FindAsync(anew));
    }

    [Fact]
    public async Task An_answer_lost_across_a_merge_can_be_asked_for_again()
    {
        string first = await CreateAsync(), lost = await UseAsync(first, _account), second = await UseAsync(first, _account);
        Assert.NotEqual(lost, second);
        string third = await UseAsync(second, _account);
        Assert.NotNull(await FindAsync(third));
        Assert.Null(await FindAsync(lost));
    }

    [Fact]
    public async Task It_lives_sixty_days_in_its_pool_and_is_kept_as_its_hash()
    {
        string handle = await CreateAsync();
        Assert.Null(await _handles.FindAsync("other", handle, default));
        Assert.DoesNotContain(await _rows.ReadRangeAsync("", null, 100), row => row.Key.Contains(handle, StringComparison.Ordinal)
            || System.Text.Encoding.UTF8.GetString(row.Value).Contains(handle, StringComparison.Ordinal));
        _clock.Advance(RefreshHandles.Life - TimeSpan.FromSeconds(1));
        Assert.NotNull(await FindAsync(handle));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await FindAsync(handle));
    }

    [Theory]
    [InlineData("")]
    [InlineData("syr1_")]
    [InlineData("syr1_../key/x")]
    [InlineData("nothing of ours")]
    public async Task Made_up_ones_are_unknown(string handle) => Assert.Null(await FindAsync(handle));

    [Fact]
    public async Task All_of_an_identity_end_together()
    {
        string handle = await CreateAsync();
        await _handles.RevokeAsync("other", _guest, null, default);
        await _handles.RevokeAsync("game", _account, null, default);
        Assert.NotNull(await FindAsync(handle));
        await _handles.RevokeAsync("game", _guest, null, default);
        Assert.Null(await FindAsync(handle));
    }

    private async Task<string> CreateAsync() => (await _handles.CreateAsync("game", _guest, Device, [1])).Handle;

    private async Task<string> UseAsync(string handle, IdentityId? id = null)
    {
        HandleUse? use = await FindAsync(handle);
        Assert.NotNull(use);
        return (await _handles.CreateAsync("game", id ?? _guest, Device, [1], use)).Handle;
    }

    private async Task<HandleUse?> FindAsync(string handle) => await _handles.FindAsync("game", handle, default);
}
