namespace SyncEngine.Datasets;

/// <summary>
/// Several writes as one: all of them or none, one change set, one durable commit. It reads its own writes. Valid only
/// during the call that received it, on that thread.
/// </summary>
public sealed class Transaction : Records
{
    private readonly Dataset _dataset;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private bool _ended;

    internal Transaction(Dataset dataset) => _dataset = dataset;

    internal override Dataset Owner => _dataset;

    internal override void InTransaction(Action<Transaction> action) => action(this);

    internal override void Enter() => CheckUsable();

    internal override void Leave(bool done)
    {
    }

    internal override void CheckUsable()
    {
        if (_ended) throw new InvalidOperationException("The transaction has ended: write inside the call that got it.");
        if (Environment.CurrentManagedThreadId != _thread)
            throw new InvalidOperationException("A transaction belongs to the thread that got it.");
    }

    internal void End() => _ended = true;
}
