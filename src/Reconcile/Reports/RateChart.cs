using System.Globalization;
using System.Text;

namespace Cdc.Reconcile.Reports;

/// <summary>The rate over the runs' times, as a drawing inside the page.</summary>
internal static class RateChart
{
    private const double Width = 1000,
        Height = 170,
        Left = 70,
        Bottom = 150,
        Top = 12;

    public static void Append(StringBuilder page, IReadOnlyList<RunPoint> history)
    {
        var points = history.Where(h => h.Rate is not null).ToList();
        if (points.Count == 0)
            return;
        var (first, last) = (points[0].StartedAt, points[^1].StartedAt);
        // The scale begins below the worst rate: drift of a thousandth must be seen.
        var lowest = Math.Max(0, 1 - Math.Max(0.001, 1.25 * (1 - points.Min(p => p.Rate!.Value))));
        double X(RunPoint p) => last == first ? (Left + Width) / 2 : Left + (Width - Left - 10) * ((p.StartedAt - first) / (last - first));
        double Y(double rate) => Top + (Bottom - Top) * (1 - rate) / (1 - lowest);
        page.Append(
            CultureInfo.InvariantCulture,
            $"<h2>Consistency over time</h2>\n<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"Consistency of {points.Count} runs\" font-size=\"11\" fill=\"currentColor\">"
        );
        foreach (var rate in new[] { 1, (1 + lowest) / 2, lowest })
            page.Append(
                CultureInfo.InvariantCulture,
                $"<line x1=\"{Left}\" x2=\"{Width}\" y1=\"{Y(rate):0.#}\" y2=\"{Y(rate):0.#}\" stroke=\"currentColor\" opacity=\".2\"/><text x=\"{Left - 6}\" y=\"{Y(rate) + 4:0.#}\" text-anchor=\"end\">{RateText.Of(rate)}</text>"
            );
        page.Append("<polyline fill=\"none\" stroke=\"currentColor\" opacity=\".5\" points=\"")
            .AppendJoin(' ', points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p):0.#},{Y(p.Rate!.Value):0.#}")))
            .Append("\"/>");
        foreach (var p in points)
            page.Append(
                CultureInfo.InvariantCulture,
                $"<circle cx=\"{X(p):0.#}\" cy=\"{Y(p.Rate!.Value):0.#}\" r=\"3.5\" fill=\"{(p.Drift == 0 ? "#2e9e5b" : "#d0342c")}\"><title>run {p.Id}, {p.Kind}, {p.StartedAt.UtcDateTime:yyyy-MM-dd HH:mm}Z: {RateText.Of(p.Rate)}, {p.Drift} of {p.Compared}</title></circle>"
            );
        page.Append(
            CultureInfo.InvariantCulture,
            $"<text x=\"{Left}\" y=\"{Height}\">{first.UtcDateTime:yyyy-MM-dd HH:mm}Z</text><text x=\"{Width}\" y=\"{Height}\" text-anchor=\"end\">{last.UtcDateTime:yyyy-MM-dd HH:mm}Z</text></svg>\n"
        );
    }
}
