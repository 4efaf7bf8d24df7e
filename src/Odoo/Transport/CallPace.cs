namespace Cdc.Odoo.Transport;

/// <summary>At most so many calls at the same time, and so many begun in a second, however many callers there are.</summary>
/// <param name="perSecond">0: no limit.</param>
internal sealed class CallPace(int parallel, decimal perSecond, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _places = new(parallel);
    private readonly Lock _lock = new();
    private readonly TimeSpan _interval = perSecond == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((double)(1 / perSecond));
    private DateTimeOffset _next = DateTimeOffset.MinValue;

    /// <summary>Waits for a place and a turn. The place is given back with <see cref="Leave"/>.</summary>
    public async Task EnterAsync(CancellationToken ct)
    {
        await _places.WaitAsync(ct);
        try
        {
            if (Turn() is { Ticks: > 0 } wait)
                await Task.Delay(wait, time, ct);
        }
        catch
        {
            _places.Release();
            throw;
        }
    }

    public void Leave() => _places.Release();

    public void Dispose() => _places.Dispose();

    private TimeSpan Turn()
    {
        if (_interval == TimeSpan.Zero)
            return TimeSpan.Zero;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var turn = _next > now ? _next : now;
            _next = turn + _interval;
            return turn - now;
        }
    }
}
