using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Cdc.Api.Metrics;

/// <summary>Keeps what the instruments of our meter have measured, by instrument and labels.</summary>
internal sealed class MetricCollector : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Series>> _instruments = new();
    private readonly Lock _collecting = new();

    /// <param name="meter">Only its own instruments: another Api in this process has instruments with the same names.</param>
    public MetricCollector(ApiMeter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!meter.Owns(instrument))
                return;
            _instruments.TryAdd(instrument, new());
            listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Everything as it is now, in order of names.</summary>
    public IReadOnlyList<(Instrument Instrument, IReadOnlyList<(string Labels, Series Series)> Series)> Collect()
    {
        lock (_collecting)
        {
            // What an observable does not report any more (a server that is down) must not be shown at its last value.
            foreach (var (instrument, series) in _instruments)
                if (instrument.IsObservable)
                    series.Clear();
            _listener.RecordObservableInstruments();
            return
            [
                .. _instruments
                    .Where(i => !i.Value.IsEmpty)
                    .OrderBy(i => PrometheusText.NameOf(i.Key), StringComparer.Ordinal)
                    .Select(i =>
                        (
                            i.Key,
                            (IReadOnlyList<(string, Series)>)
                                [.. i.Value.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => (s.Key, s.Value))]
                        )
                    ),
            ];
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = PrometheusText.Labels(tags);
        var series = _instruments[instrument]
            .GetOrAdd(
                labels,
                static (_, i) => new Series(i is Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } ? [.. bounds] : null),
                instrument
            );
        series.Add(value, instrument.IsObservable);
    }

    /// <summary>One value, or one distribution.</summary>
    public sealed class Series(double[]? bounds)
    {
        private readonly Lock _lock = new();
        private readonly long[] _counts = new long[(bounds?.Length ?? 0) + 1];
        private double _value;

        public double[]? Bounds => bounds;

        public void Add(double value, bool isTotal)
        {
            lock (_lock)
            {
                _value = isTotal ? value : _value + value;
                if (bounds is null)
                    return;
                var at = Array.BinarySearch(bounds, value);
                _counts[at < 0 ? ~at : at]++;
            }
        }

        /// <summary>The value or sum, and how many there were in each bucket, the one without an upper bound last.</summary>
        public (double Value, long[] Counts) Read()
        {
            lock (_lock)
                return (_value, [.. _counts]);
        }
    }
}
