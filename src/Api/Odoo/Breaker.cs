namespace Cdc.Api.Odoo;

/// <summary>After so many failures in a row nobody tries for a while, and then one does.</summary>
internal sealed class Breaker(int failures, TimeSpan pause, TimeProvider time)
{
    private readonly Lock _lock = new();
    private int _failed;
    private long? _openedAt;

    public bool MayTry()
    {
        lock (_lock)
        {
            if (_openedAt is not { } opened)
                return true;
            if (time.GetElapsedTime(opened) < pause)
                return false;
            // The others wait for what becomes of this one.
            _openedAt = time.GetTimestamp();
            return true;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
            (_failed, _openedAt) = (0, null);
    }

    public void Failed()
    {
        lock (_lock)
            if (++_failed >= failures)
                _openedAt = time.GetTimestamp();
    }
}
