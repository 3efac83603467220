namespace SyncEngine.Datasets;

/// <summary>Keeps an observer that throws from harming anybody else: it hears nothing more.</summary>
internal sealed class GuardedObserver<T>(IObserver<T> observer, Action<Exception> failed) : IObserver<T>
{
    private bool _ended;

    public void OnNext(T value) => Try(() => observer.OnNext(value));

    public void OnError(Exception error) => Try(() => observer.OnError(error));

    public void OnCompleted() => Try(observer.OnCompleted);

    private void Try(Action tell)
    {
        if (_ended) return;
        try
        {
            tell();
        }
        catch (Exception e)
        {
            _ended = true;
            failed(e);
        }
    }
}
