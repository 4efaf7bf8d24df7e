using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cdc.Bench.Measure;

/// <param name="Unit">rows/s, tx/s, ms, s, MiB; x for a ratio.</param>
internal sealed record Figure(string Name, double Value, string Unit);

/// <summary>What was measured: a line on stdout for each as soon as it is known, and a JSON document at the end.</summary>
/// <param name="prefix">Before every name.</param>
internal sealed class Figures(TextWriter output, string prefix = "")
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly List<Figure> _figures = [];

    public void Add(string name, double value, string unit)
    {
        // Nothing to say is better than a number that is none.
        if (!double.IsFinite(value))
            return;
        var figure = new Figure(prefix + name, Rounded(value), unit);
        _figures.Add(figure);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"figure {figure.Name} {figure.Value} {figure.Unit}"));
    }

    public void AddMedian(string name, IEnumerable<double> values, string unit) => Add(name, Median(values), unit);

    public async Task WriteAsync(string path, MachineDescription machine, CancellationToken ct)
    {
        await using var file = File.Create(path);
        await JsonSerializer.SerializeAsync(file, new { Machine = machine, Figures = _figures }, Format, ct);
    }

    /// <summary>NaN of nothing.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Where(double.IsFinite).Order()];
        if (sorted.Length == 0)
            return double.NaN;
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Four digits: no measurement here has more.</summary>
    private static double Rounded(double value)
    {
        if (value == 0)
            return 0;
        var digits = 3 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        return digits > 0 ? Math.Round(value, Math.Min(digits, 15)) : Math.Round(value);
    }
}
