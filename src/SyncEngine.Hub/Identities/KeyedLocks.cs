using SyncEngine.Identities;

namespace SyncEngine.Hub.Identities;

/// <summary>One change at a time for each identity; several are locked in one order, so that nobody waits in a circle.</summary>
internal sealed class KeyedLocks
{
    private const int Stripes = 1024;
    private readonly SemaphoreSlim[] _stripes = CreateStripes();

    /// <summary>Waits for the identities; dispose the result to let others in.</summary>
    public async ValueTask<IDisposable> EnterAsync(
        string pool, CancellationToken cancellationToken, params IReadOnlyList<IdentityId> ids)
    {
        int[] stripes = [.. ids.Select(id => StripeOf(pool, id)).Distinct().Order()];
        var held = new Held(this, stripes);
        try
        {
            foreach (int stripe in stripes)
            {
                await _stripes[stripe].WaitAsync(cancellationToken).ConfigureAwait(false);
                held.Count++;
            }
        }
        catch
        {
            held.Dispose();
            throw;
        }

        return held;
    }

    private static int StripeOf(string pool, IdentityId id) =>
        (int)((uint)HashCode.Combine(pool, id.High, id.Low) % Stripes);

    private static SemaphoreSlim[] CreateStripes()
    {
        var stripes = new SemaphoreSlim[Stripes];
        for (int i = 0; i < Stripes; i++) stripes[i] = new SemaphoreSlim(1, 1);
        return stripes;
    }

    private sealed class Held(KeyedLocks locks, int[] stripes) : IDisposable
    {
        public int Count { get; set; }

        public void Dispose()
        {
            for (; Count > 0; Count--) locks._stripes[stripes[Count - 1]].Release();
        }
    }
}
