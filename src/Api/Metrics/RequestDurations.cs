using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;

namespace Cdc.Api.Metrics;

/// <summary>
/// ASP.NET's own durations of requests (http.server.request.duration), under the name and with the labels by which this Api's metrics,
/// rules and dashboards know them. Endpoints with <c>DisableHttpMetrics</c> are not measured.
/// </summary>
internal sealed class RequestDurations : IDisposable
{
    private static readonly double[] Bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

    private readonly Histogram<double> _duration;
    private readonly MeterListener _listener = new();

    /// <param name="factory">Of this host: another Api of this process has an instrument by the same name.</param>
    public RequestDurations(ApiMeter meter, IMeterFactory factory)
    {
        _duration = meter.Meter.CreateHistogram(
            "cdc.http.request.duration",
            "s",
            "Duration of HTTP requests.",
            null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = Bounds }
        );
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (
                instrument is { Name: "http.server.request.duration", Meter: { Name: "Microsoft.AspNetCore.Hosting", Scope: var scope } }
                && ReferenceEquals(scope, factory)
            )
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => Record(seconds, tags));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    private void Record(double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        object? route = null,
            method = null,
            status = null;
        foreach (var (name, value) in tags)
            switch (name)
            {
                case "http.route":
                    route = value;
                    break;
                case "http.request.method":
                    method = value;
                    break;
                case "http.response.status_code":
                    status = value;
                    break;
            }
        _duration.Record(seconds, new("route", route ?? "none"), new("method", Known(method)), new("status", status));
    }

    private static string Known(object? method) =>
        method is string name && (HttpMethods.IsGet(name) || HttpMethods.IsPost(name) || HttpMethods.IsHead(name)) ? name : "other";
}
