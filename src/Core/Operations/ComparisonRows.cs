using System.Globalization;

namespace Cdc.Core.Operations;

/// <summary>What a comparison means.</summary>
public enum ComparisonVerdict
{
    /// <summary>All rows were compared, and none differs.</summary>
    Consistent,
    Drift,

    /// <summary>Nothing differs, but something was not compared.</summary>
    Inconclusive,
}

/// <summary>
/// Rows of a comparison, or of how things stand after the last ones, and what they mean. The only place that decides it: for the command and
/// its exit code, the report, alerts, the page and /health. A discarded row is drift: the engine knowingly differs from Odoo.
/// </summary>
/// <param name="Compared">Keys on either side.</param>
/// <param name="Drift">Of these, how many differ.</param>
/// <param name="Loading">Rows of ranges that are not loaded, or whose deletes are held.</param>
/// <param name="Tables">Tables of which nothing can be said, such as <c>card is stopped</c>, <c>card was not compared</c>.</param>
public sealed record ComparisonRows(
    long Compared,
    long Drift,
    long InFlight,
    long Quarantined,
    long Holes,
    long Loading,
    IReadOnlyList<string> Tables
)
{
    /// <summary>Of a table that a comparison left out; why is in the run's detail.</summary>
    public static string NotComparedTable(string entity) => $"{entity} was not compared";

    /// <summary>Rows of which nothing is known.</summary>
    public long NotCompared => InFlight + Quarantined + Holes + Loading;

    public ComparisonVerdict Verdict =>
        Drift > 0 ? ComparisonVerdict.Drift
        : NotCompared > 0 || Tables.Count > 0 ? ComparisonVerdict.Inconclusive
        : ComparisonVerdict.Consistent;

    /// <summary>
    /// The share that differs is that of the whole: single rows may be left out, ranges and tables may not. Only such a comparison fires an
    /// alert, and only such a one shows that nothing is to be fired.
    /// </summary>
    public bool IsOfTheWhole => Loading == 0 && Tables.Count == 0;

    /// <summary>As in cdc.reconcile_runs.</summary>
    public string Word => Verdict.ToString().ToLowerInvariant();

    /// <summary>For people, with what was not compared; null where that is nothing.</summary>
    public string? LeftOut
    {
        get
        {
            (long Rows, string What)[] reasons =
            [
                (InFlight, "in flight"),
                (Quarantined, "in quarantine"),
                (Holes, "with a column that is not known"),
                (Loading, "loading"),
            ];
            var rows = string.Join(
                ", ",
                reasons.Where(r => r.Rows > 0).Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Rows} {r.What}"))
            );
            var parts = Tables.ToList();
            if (rows.Length > 0)
                parts.Insert(0, string.Create(CultureInfo.InvariantCulture, $"{NotCompared} rows not compared ({rows})"));
            return parts.Count == 0 ? null : string.Join("; ", parts);
        }
    }
}
