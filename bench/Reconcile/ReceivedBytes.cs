using System.Diagnostics.Metrics;

namespace Cdc.Bench.Reconcile;

/// <summary>Bytes that Npgsql has received from both servers, by its own meter.</summary>
internal sealed class ReceivedBytes : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _bytes;

    public ReceivedBytes()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Npgsql" && instrument.Name.EndsWith("bytes_read", StringComparison.Ordinal))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _bytes, value));
        _listener.SetMeasurementEventCallback<int>((_, value, _, _) => Interlocked.Add(ref _bytes, value));
        _listener.Start();
    }

    /// <summary>Since the last call.</summary>
    public long Take()
    {
        _listener.RecordObservableInstruments();
        return Interlocked.Exchange(ref _bytes, 0);
    }

    public void Dispose() => _listener.Dispose();
}
