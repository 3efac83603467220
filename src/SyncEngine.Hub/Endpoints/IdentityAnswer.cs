using SyncEngine.Hub.Identities;

namespace SyncEngine.Hub.Endpoints;

/// <summary>An identity as it is shown.</summary>
internal sealed record IdentityAnswer(
    string IdentityId, string State, bool IsGuest, DateTimeOffset CreatedAt, string? MergedInto,
    IReadOnlyList<LoginAnswer> Logins, IReadOnlyList<DeviceAnswer> Devices, IReadOnlyList<MergeAnswer> Merges)
{
    public static IdentityAnswer Of(IdentityRow row) => new(
        row.Id.ToString(), row.State.ToString().ToLowerInvariant(), row.IsGuest, row.CreatedAt,
        row.State == IdentityState.Merged ? row.MergedInto.ToString() : null,
        [.. row.Logins.Select(static login => new LoginAnswer(login.Provider, login.Subject, login.LinkedAt))],
        [.. row.Devices.Select(DeviceAnswer.Of)],
        [.. row.Merges.Select(static merge => new MergeAnswer(
            merge.Id, merge.Source.ToString(), merge.Mode.ToString().ToLowerInvariant(), merge.At, merge.UndoUntil,
                merge.IsUndone))]);
}

/// <summary>A login that is linked to an identity.</summary>
internal sealed record LoginAnswer(string Provider, string Subject, DateTimeOffset LinkedAt);

/// <summary>A device of an identity.</summary>
internal sealed record DeviceAnswer(
    string DeviceId, string? Name, DateTimeOffset RegisteredAt, DateTimeOffset LastSeen, DateTimeOffset? RevokedAt)
{
    public static DeviceAnswer Of(DeviceRow device) =>
        new(device.Id, device.Name, device.RegisteredAt, device.LastSeen, device.RevokedAt);
}

/// <summary>A merge of another identity into this one.</summary>
internal sealed record MergeAnswer(
    string MergeId, string Source, string Mode, DateTimeOffset At, DateTimeOffset UndoUntil, bool IsUndone);

/// <summary>A page of a list of identities.</summary>
internal sealed record IdentityPage(IReadOnlyList<IdentityAnswer> Identities, string? Next);

/// <summary>The devices of an identity.</summary>
internal sealed record DeviceList(IReadOnlyList<DeviceAnswer> Devices);
