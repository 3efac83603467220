using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SyncEngine.Hub.Cognito.IdentityApi;
using SyncEngine.Hub.Cognito.Signing;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Tokens;

namespace SyncEngine.Hub.Cognito.Wire;

/// <summary>Lets callers in: who signed, and whether the hub still lets that identity in.</summary>
internal sealed class CognitoEntry(
    SignatureCheck signatures, IdentityDirectory directory, PoolRegistry pools, CognitoPools cognito, Revocations revocations,
    IdentityIndex index, CognitoIds ids)
{
    /// <summary>The caller of a request.</summary>
    /// <exception cref="CognitoException">Nobody that may call this.</exception>
    public async ValueTask<CognitoCaller?> AdmitAsync(
        HttpContext context, WireTarget target, string service, CognitoOperation operation, ReadOnlyMemory<byte> body)
    {
        if (operation.Access == CognitoAccess.Anyone) return null;
        CancellationToken cancellationToken = context.RequestAborted;
        (CognitoCaller caller, IssuedClaims? claims) = await signatures.RequireAsync(
            context.Request, target.Path, target.Query, service, body, cancellationToken).ConfigureAwait(false);
        bool mayCall = operation.Access == CognitoAccess.Signed
            || operation.Access == (caller.IsDeveloper ? CognitoAccess.Developer : CognitoAccess.Identity);
        if (!mayCall) throw CognitoException.AccessDenied(
            $"User: {caller.AccessKeyId} is not authorized to perform: {service}:{operation.Name}");
        if (claims is not null) await CheckAsync(claims, cancellationToken).ConfigureAwait(false);
        return caller;
    }

    /// <summary>The hub's name of the pool that a request is about: its caller's, or the one that path or body name, or that of
    /// the identity that they name; null if there is none.</summary>
    public async ValueTask<string?> PoolOfAsync(CognitoRequest request, CancellationToken cancellationToken)
    {
        if (request.Caller is { IsDeveloper: false } caller) return caller.Pool;
        string? pool = request.Path.GetValueOrDefault("pool") ?? Named(request.Body, "IdentityPoolId");
        if (pool is not null) return (await cognito.FindAsync(pool, cancellationToken).ConfigureAwait(false))?.Name;
        return Named(request.Body, "IdentityId") is { } text && ids.TryParse(text, out _, out Guid guid)
            ? await index.PoolOfAsync(CognitoIds.IdentityOf(guid), cancellationToken).ConfigureAwait(false) : null;
    }

    private static string? Named(JsonElement body, string member) =>
        body.TryGetProperty(member, out JsonElement named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;

    private async ValueTask CheckAsync(IssuedClaims claims, CancellationToken cancellationToken)
    {
        IdentityPool? pool = await pools.FindAsync(claims.Pool, cancellationToken).ConfigureAwait(false);
        IdentityRow? row = await directory.FindAsync(claims.Pool, claims.Id, cancellationToken).ConfigureAwait(false);
        if (pool is not null && row is { State: IdentityState.Active } && row.IsGuest == claims.IsGuest
            && (!claims.IsGuest || (row.IsOpen && pool.AllowsGuests)) && pool.Roles.ContainsKey(claims.Role)
            && !await revocations.IsRevokedAsync(claims.Pool, claims.Id, claims.IssuedAt, cancellationToken)
                .ConfigureAwait(false)) return;
        CognitoPool? known = await cognito.FindByNameAsync(claims.Pool, cancellationToken).ConfigureAwait(false);
        throw CognitoException.IdentityForbidden(known is null ? claims.Id.ToString()
            : CognitoIds.Of(known.Row.Region, claims.Id));
    }
}
