using System.Globalization;
using System.Net;
using System.Text;
using Cdc.Core.Entities;

namespace Cdc.Reconcile.Reports;

/// <summary>A run as one HTML page that needs nothing else: to be attached to a sign-off, and read years later.</summary>
public static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; --line: #8884; --good: #2e9e5b; --bad: #d0342c; --part: #c98a00 }
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
        h1 { font-size: 1.6rem; margin-bottom: .3rem } h2 { font-size: 1.15rem; margin-top: 2.2rem }
        .verdict { display: inline-block; padding: .1rem .7rem; border-radius: 1rem; color: #fff; font-weight: 600 }
        .consistent { background: var(--good) } .drift, .failed { background: var(--bad) } .inconclusive, .running { background: var(--part) }
        table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
        td.n, th.n { text-align: right; font-variant-numeric: tabular-nums } td.v { font-family: ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap }
        .map { display: flex; flex-wrap: wrap; gap: 2px } .map i { width: 15px; height: 15px; border-radius: 2px; background: var(--good) }
        .map i.bad { background: var(--bad) } .map i.part { background: var(--part) } .map i.none { background: var(--line) } .note { opacity: .75 }
        .null { opacity: .55; font-style: italic } svg { width: 100%; height: 180px }
        """;

    public static string Of(RunReport report)
    {
        var page = new StringBuilder(16_384);
        page.Append(
            CultureInfo.InvariantCulture,
            $"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Odoo and engine, run {report.Run.Id}</title><style>{Style}</style></head><body>\n"
        );
        Head(page, report);
        Entities(page, report);
        RateChart.Append(page, report.History);
        PartitionMap(page, report);
        Drift(page, report);
        Repair(page, report);
        Totals(page, report);
        SpotChecks(page, report);
        Violations(page, report);
        return page.Append("</body></html>\n").ToString();
    }

    private static void Head(StringBuilder page, RunReport report)
    {
        var run = report.Run;
        var verdict = run.Verdict ?? run.State;
        page.Append(
            CultureInfo.InvariantCulture,
            $"<h1>Odoo and engine compared</h1>\n<p><span class=\"verdict {verdict}\">{verdict}</span> run {run.Id}, {run.Kind}, {Time(run.StartedAt)} to {Time(run.FinishedAt)}, asked for by {Text(run.RequestedBy)}</p>\n"
        );
        page.Append(
            CultureInfo.InvariantCulture,
            $"<p>Entities: {Text(string.Join(", ", run.Entities))}. Keys: {Key(run.FromKey)} to {Key(run.ToKey)}. Since: {(run.Since is null ? "the beginning" : Time(run.Since))}. WAL of the source: {run.FromLsn ?? "-"} to {run.ToLsn ?? "-"}, generation {run.Generation?.ToString(CultureInfo.InvariantCulture) ?? "-"}.</p>\n"
        );
        if (run.Capped)
            page.Append(
                "<p><strong>Capped:</strong> there is more drift than was kept. All of it is counted; "
                    + "the values of some of it are not listed.</p>\n"
            );
        if (run.Detail is { } detail)
            page.Append(CultureInfo.InvariantCulture, $"<p><strong>{Text(detail)}</strong></p>\n");
        page.Append(
            "<p class=\"note\">Consistency is 1 − drift / compared keys. "
                + "Keys in flight, in quarantine, with columns that the engine knows to be unknown (holes), "
                + "and rows of ranges that are loading were not compared; each is counted separately.</p>\n"
        );
    }

    private static void Entities(StringBuilder page, RunReport report)
    {
        page.Append("<h2>Entities</h2>\n");
        Table(
            page,
            "Entity",
            "#Consistency",
            "#Compared",
            "#Drift",
            "#Missing",
            "#Extra",
            "#Differing",
            "#In flight",
            "#Quarantined",
            "#Holes",
            "#Loading",
            "#Rows in Odoo",
            "#Rows in engine"
        );
        foreach (var entity in report.Entities)
            Row(page, [Text(entity.State == "stopped" ? entity.Entity + " (not compared)" : entity.Entity), .. Numbers(entity.Numbers)]);
        Row(page, ["<strong>all</strong>", .. Numbers(report.Total)]);
        page.Append("</table>\n");
    }

    private static void PartitionMap(StringBuilder page, RunReport report)
    {
        page.Append("<h2>Partitions</h2>\n");
        foreach (var entity in report.Entities)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<p>{Text(entity.Entity)}, {entity.Partitions.Count} partitions</p><div class=\"map\">"
            );
            foreach (var p in entity.Partitions)
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"<i class=\"{Colour(p.Numbers)}\" title=\"{Key(p.FromKey)} to {Key(p.ToKey)}: {p.Numbers.Compared} compared, {p.Numbers.Drift} drift, {p.Numbers.Loading} loading, at {p.MarkerLsn}, snapshots held {p.HeldMs:0} ms\"></i>"
                );
            page.Append("</div>\n");
        }
        page.Append(
            "<p class=\"note\">A square is a range of keys, compared at one point of the source's WAL. "
                + "Green: equal. Red: drift. Yellow: partly not compared. Grey: nothing was compared.</p>\n"
        );
    }

    private static string Colour(ReportedNumbers n) =>
        n switch
        {
            { Drift: > 0 } => "bad",
            { NotCompared: > 0 } => "part",
            { Compared: 0 } => "none",
            _ => "good",
        };

    private static void Drift(StringBuilder page, RunReport report)
    {
        page.Append("<h2>Drift</h2>\n");
        if (report.Drift.Count == 0)
        {
            page.Append("<p>None.</p>\n");
            return;
        }
        if (report.DriftRows > report.Drift.Count)
            page.Append(
                CultureInfo.InvariantCulture,
                $"<p>The first {report.Drift.Count} of {report.DriftRows} recorded differences.</p>\n"
            );
        Table(page, "Entity", "#Key", "What", "Field", "Odoo", "Engine", "First seen");
        foreach (var d in report.Drift)
            Row(
                page,
                [
                    Text(d.Entity),
                    KeyText.Of(d.Key),
                    d.Kind,
                    Text(d.Field),
                    Value(d.OdooValue, d.Kind == "extra"),
                    Value(d.EngineValue, d.Kind == "missing"),
                    $"{Time(d.FirstSeen)}, run {d.FirstRun}",
                ],
                numeric: [1],
                values: [4, 5]
            );
        page.Append("</table>\n");
    }

    private static void Repair(StringBuilder page, RunReport report)
    {
        if (report.Repair is not { } repair)
            return;
        page.Append(
            CultureInfo.InvariantCulture,
            $"<h2>Repair{(repair.DryRun ? " (dry run: nothing was changed)" : "")}</h2>\n<p>{repair.Equal} keys are equal now, {repair.Differing} differ, {repair.Unknown} could not be compared.</p>\n"
        );
        Table(page, "Entity", "#Key", "What", "Outcome");
        foreach (var k in repair.Keys)
            Row(page, [Text(k.Entity), KeyText.Of(k.Key), k.Kind, k.Outcome], numeric: [1]);
        page.Append("</table>\n");
    }

    private static void Totals(StringBuilder page, RunReport report)
    {
        if (report.Totals.Count == 0)
            return;
        page.Append("<h2>Money</h2>\n<p class=\"note\">Sums over the rows that were compared.</p>\n");
        Table(page, "Entity", "Column", "Program", "Company", "#Odoo", "#Engine", "#Difference");
        foreach (var t in report.Totals)
            Row(
                page,
                [
                    Text(t.Entity),
                    Text(t.Field),
                    Id(t.Program),
                    Id(t.Company),
                    Money(t.Odoo),
                    Money(t.Engine),
                    t.Difference == 0 ? "0" : $"<strong>{Money(t.Difference)}</strong>",
                ],
                numeric: [4, 5, 6]
            );
        page.Append("</table>\n");
    }

    private static void SpotChecks(StringBuilder page, RunReport report)
    {
        if (report.SpotChecks.Count == 0)
            return;
        page.Append("<h2>Spot checks</h2>\n<p class=\"note\">Rows taken at random and compared value by value.</p>\n");
        Table(page, "Entity", "Company", "#Rows", "Keys that differ");
        foreach (var s in report.SpotChecks)
            Row(
                page,
                [
                    Text(s.Entity),
                    Id(s.Company),
                    s.Rows.ToString(CultureInfo.InvariantCulture),
                    s.Differing.Count == 0 ? "none" : string.Join(", ", s.Differing.Select(KeyText.Of)),
                ],
                numeric: [2]
            );
        page.Append("</table>\n");
    }

    private static void Violations(StringBuilder page, RunReport report)
    {
        if (report.Violations.Count == 0)
            return;
        page.Append("<h2>Odoo's own contradictions</h2>\n<p class=\"note\">No drift: the engine has these rows as Odoo has them.</p>\n");
        Table(page, "What", "#Rows", "Some keys");
        foreach (var v in report.Violations)
            Row(
                page,
                [Text(v.Kind), v.Rows.ToString("#,0", CultureInfo.InvariantCulture), string.Join(", ", v.Examples.Select(KeyText.Of))],
                numeric: [1]
            );
        page.Append("</table>\n");
    }

    private static IEnumerable<string> Numbers(ReportedNumbers n) =>
        new[]
        {
            n.Compared,
            n.Drift,
            n.Missing,
            n.Extra,
            n.Differing,
            n.InFlight,
            n.Quarantined,
            n.Holes,
            n.Loading,
            n.SourceRows,
            n.EngineRows,
        }
            .Select(v => v.ToString("#,0", CultureInfo.InvariantCulture))
            .Prepend(RateText.Of(n.Rate));

    private static void Table(StringBuilder page, params IEnumerable<string> headings)
    {
        page.Append("<table><tr>");
        foreach (var h in headings)
            page.Append(h[0] == '#' ? $"<th class=\"n\">{h[1..]}</th>" : $"<th>{h}</th>");
        page.Append("</tr>\n");
    }

    /// <param name="numeric">Places of the cells that hold numbers; null: all but the first.</param>
    private static void Row(StringBuilder page, IReadOnlyList<string> cells, int[]? numeric = null, int[]? values = null)
    {
        page.Append("<tr>");
        for (var i = 0; i < cells.Count; i++)
        {
            var kind =
                (numeric?.Contains(i) ?? i > 0) ? " class=\"n\""
                : values?.Contains(i) == true ? " class=\"v\""
                : "";
            page.Append(CultureInfo.InvariantCulture, $"<td{kind}>{cells[i]}</td>");
        }
        page.Append("</tr>\n");
    }

    private static string Value(string? value, bool noRow) =>
        value is not null ? Text(value)
        : noRow ? "<span class=\"null\">no row</span>"
        : "<span class=\"null\">NULL</span>";

    private static string Id(long? id) => id?.ToString(CultureInfo.InvariantCulture) ?? "<span class=\"null\">none</span>";

    private static string Key(long? key) => key is { } known ? KeyText.Of(known) : "open";

    private static string Money(decimal amount) => amount.ToString("#,0.00##########", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset? at) =>
        at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
