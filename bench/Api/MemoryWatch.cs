using Cdc.Bench.Measure;

namespace Cdc.Bench.Api;

/// <summary>The memory of the <c>cdc</c> process at the beginning, every so often, and at the end.</summary>
internal sealed class MemoryWatch : IDisposable
{
    private readonly CdcReplica _cdc;
    private readonly PeriodicTimer _timer;
    private readonly List<double> _seen = [];
    private readonly Task _watching;

    public MemoryWatch(CdcReplica cdc, TimeSpan every)
    {
        (_cdc, _timer) = (cdc, new PeriodicTimer(every));
        Sample();
        _watching = WatchAsync();
    }

    /// <returns>In MiB, in the order of time.</returns>
    public async Task<IReadOnlyList<double>> EndAsync()
    {
        _timer.Dispose();
        await _watching;
        Sample();
        return _seen;
    }

    public void Dispose() => _timer.Dispose();

    private async Task WatchAsync()
    {
        while (await _timer.WaitForNextTickAsync())
            Sample();
    }

    private void Sample() => _seen.Add(_cdc.Memory / (double)(1 << 20));
}
