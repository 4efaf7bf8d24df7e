using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Cdc.Api.Metrics;

/// <summary>
/// The Prometheus text format 0.0.4, with names as OpenTelemetry's conventions make them: base unit, and _total for counters.
/// </summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(MetricCollector collector)
    {
        var text = new StringBuilder();
        foreach (var (instrument, all) in collector.Collect())
        {
            var name = NameOf(instrument);
            text.Append(
                CultureInfo.InvariantCulture,
                $"# HELP {name} {Escape(instrument.Description ?? "", quotes: false)}\n# TYPE {name} {TypeOf(instrument)}\n"
            );
            foreach (var (labels, series) in all)
                if (series.Bounds is null)
                    Line(text, name, labels, series.Read().Value);
                else
                    Histogram(text, name, labels, series);
        }
        return text.ToString();
    }

    public static string NameOf(Instrument instrument)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        return instrument.Name.Replace('.', '_') + unit + (TypeOf(instrument) == "counter" ? "_total" : "");
    }

    /// <summary>Such as <c>topic="a",partition="0"</c>.</summary>
    public static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
            text.Append(text.Length > 0 ? "," : "")
                .Append(
                    CultureInfo.InvariantCulture,
                    $"{name.Replace('.', '_')}=\"{Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", quotes: true)}\""
                );
        return text.ToString();
    }

    private static void Histogram(StringBuilder text, string name, string labels, MetricCollector.Series series)
    {
        var (sum, counts) = series.Read();
        long below = 0;
        for (var i = 0; i < counts.Length; i++)
        {
            below += counts[i];
            var bound = i < series.Bounds!.Length ? Number(series.Bounds[i]) : "+Inf";
            Line(text, name + "_bucket", labels.Length > 0 ? $"{labels},le=\"{bound}\"" : $"le=\"{bound}\"", below);
        }
        Line(text, name + "_sum", labels, sum);
        Line(text, name + "_count", labels, below);
    }

    private static void Line(StringBuilder text, string name, string labels, double value) =>
        text.Append(name).Append(labels.Length > 0 ? $"{{{labels}}}" : "").Append(' ').Append(Number(value)).Append('\n');

    /// <summary>counter, histogram, gauge.</summary>
    public static string TypeOf(Instrument instrument) =>
        instrument.GetType().GetGenericTypeDefinition() switch
        {
            var type when type == typeof(ObservableCounter<>) || type == typeof(Counter<>) => "counter",
            var type when type == typeof(Histogram<>) => "histogram",
            _ => "gauge",
        };

    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
