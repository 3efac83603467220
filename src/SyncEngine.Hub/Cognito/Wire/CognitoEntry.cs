using Microsoft.AspNetCore.Http;
using SyncEngine.Hub.Cognito.Signing;
using SyncEngine.Hub.Identities;
using SyncEngine.Hub.Pools;
using SyncEngine.Hub.Tokens;

namespace SyncEngine.Hub.Cognito.Wire;

/// <summary>Lets callers in: who signed, and whether the hub still lets that identity in.</summary>
internal sealed class CognitoEntry(
    SignatureCheck signatures, IdentityDirectory directory, PoolRegistry pools, CognitoPools cognito, Revocations revocations)
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
