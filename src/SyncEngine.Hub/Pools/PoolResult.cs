namespace SyncEngine.Hub.Pools;

/// <summary>How a change of a pool came out.</summary>
internal enum PoolOutcome
{
    Done,

    /// <summary>The definition is refused; <see cref="PoolResult.Fault"/> says why.</summary>
    Invalid,

    /// <summary>There is no pool of that name.</summary>
    NotFound,

    /// <summary>There is a pool of that name already.</summary>
    Exists,

    /// <summary>The pool is no longer what the caller saw.</summary>
    Changed,

    /// <summary>The pool has identities.</summary>
    NotEmpty,

    /// <summary>There are as many pools as there may be.</summary>
    Full,
}

/// <summary>How a change of a pool came out, and the pool as it then is.</summary>
internal readonly record struct PoolResult(PoolOutcome Outcome, IdentityPool? Pool = null, PoolFault? Fault = null);
