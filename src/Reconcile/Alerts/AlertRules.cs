using System.Globalization;

namespace Cdc.Reconcile.Alerts;

/// <summary>How an entity stood after a comparison.</summary>
/// <param name="Compared">All its rows, as far as they can be compared.</param>
/// <param name="Drift">Of these, how many are known to differ.</param>
internal sealed record AlertSample(DateTimeOffset At, string Entity, long Compared, long Drift);

/// <param name="Scope">An entity, or <c>all</c>.</param>
/// <param name="Message">For people.</param>
internal sealed record AlertFinding(string Scope, string Message);

/// <summary>
/// Which alerts are due. A share must be above its threshold over both windows: the long one so that a blip fires nothing, the short one so
/// that what is over does not either.
/// </summary>
internal sealed class AlertRules(AlertOptions options)
{
    private const string All = "all";

    /// <param name="samples">After the alert was armed, of conclusive comparisons only.</param>
    /// <returns>The worst scope; null: nothing is to be said.</returns>
    public AlertFinding? Find(string alert, IReadOnlyList<AlertSample> samples, DateTimeOffset now)
    {
        AlertFinding? worst = null;
        var most = Threshold(alert);
        foreach (var (scope, own) in Scopes(samples))
        {
            if (Share(alert, scope, own, now) is not { } share || share <= most)
                continue;
            (worst, most) = (new AlertFinding(scope, Message(alert, scope, share)), share);
        }
        return worst;
    }

    private static IEnumerable<(string Scope, List<AlertSample> Samples)> Scopes(IReadOnlyList<AlertSample> samples)
    {
        foreach (var entity in samples.GroupBy(s => s.Entity))
            yield return (entity.Key, [.. entity]);
        yield return (
            All,
            [.. samples.GroupBy(s => s.At).Select(s => new AlertSample(s.Key, All, s.Sum(x => x.Compared), s.Sum(x => x.Drift)))]
        );
    }

    /// <summary>Percent of the rows that must differ; more than this fires.</summary>
    private decimal Threshold(string alert) =>
        alert switch
        {
            AlertName.Warning => options.WarnAbovePercent,
            AlertName.Alert => options.AlertAbovePercent,
            AlertName.Remediation => options.RemediateAbovePercent,
            AlertName.Page => 100 - options.PageBelowPercent,
            _ => throw new ArgumentOutOfRangeException(nameof(alert), alert, "There is no such alert."),
        };

    /// <summary>Percent that differ; null: too little is known.</summary>
    private decimal? Share(string alert, string scope, List<AlertSample> samples, DateTimeOffset now)
    {
        if (samples.Count == 0)
            return null;
        var last = samples.MaxBy(s => s.At)!;
        if (alert == AlertName.Warning)
            return Percent([last]);
        var (recent, whole) = (Within(samples, now - options.ShortWindow), Within(samples, now - options.LongWindow));
        if (whole.Count < options.MinSamples || recent.Count == 0 || (scope != All && last.Compared < options.MinRows))
            return null;
        return Percent(recent) is { } recently && Percent(whole) is { } throughout ? Math.Min(recently, throughout) : null;
    }

    private static List<AlertSample> Within(List<AlertSample> samples, DateTimeOffset since) => [.. samples.Where(s => s.At > since)];

    private static decimal? Percent(IReadOnlyList<AlertSample> samples)
    {
        var (compared, drift) = (samples.Sum(s => s.Compared), samples.Sum(s => s.Drift));
        return compared > 0 ? 100m * drift / compared
            : drift > 0 ? 100
            : null;
    }

    private string Message(string alert, string scope, decimal share)
    {
        var what = scope == All ? "all rows" : $"the rows of {scope}";
        var limit = Threshold(alert).ToString("0.#####", CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{share:0.#####} % of {what} differ between Odoo and the engine, more than {limit} %."
        );
    }
}
