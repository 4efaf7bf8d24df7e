namespace Cdc.Log;

/// <summary>
/// The bytes that one writer has handed over and that are not released yet, with a bound. Bytes, not items: a row may be a megabyte.
/// What is larger than the bound passes alone.
/// </summary>
internal sealed class ByteBound(long most) : IDisposable
{
    private readonly SemaphoreSlim _space = new(0, 1);
    private long _bytes;
    private int _waiting;

    public long Bytes => Interlocked.Read(ref _bytes);

    public bool IsHalfFull => Bytes >= most / 2;

    /// <summary>By one writer at a time. Waits until there is room.</summary>
    public async ValueTask TakeAsync(long bytes, CancellationToken ct)
    {
        while (Interlocked.Read(ref _bytes) is var held && held > 0 && held + bytes > most)
        {
            // A full fence: the second check must not come before the flag.
            Interlocked.Exchange(ref _waiting, 1);
            // Some may have been released between the check and the flag: check again before waiting for the signal.
            if (Interlocked.Read(ref _bytes) is var again && (again == 0 || again + bytes <= most))
                break;
            await _space.WaitAsync(ct);
        }
        Interlocked.Add(ref _bytes, bytes);
    }

    /// <summary>By one thread at a time.</summary>
    public void GiveBack(long bytes)
    {
        Interlocked.Add(ref _bytes, -bytes);
        if (Interlocked.Exchange(ref _waiting, 0) == 1 && _space.CurrentCount == 0)
            _space.Release();
    }

    public void Dispose() => _space.Dispose();
}
