using Cdc.Core.Entities;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Reports;

namespace Cdc.Host.Reconciling;

/// <summary>A run on a terminal.</summary>
internal static class ReconcileView
{
    private const int ShownCharacters = 60;

    public static void Write(RunReport report, int maxDrift, Terminal terminal)
    {
        Numbers(report).Write(terminal);
        if (report.Drift.Count > 0)
            Drift(report, maxDrift).Write(terminal);
        if (report.DriftRows > maxDrift)
            terminal.Out.WriteLine($"{maxDrift} of {report.DriftRows} differences; --json and --report show more, cdc.drift has all");
        if (report.Totals.Where(t => t.Difference != 0).ToList() is { Count: > 0 } unequal)
            Totals(unequal).Write(terminal);
        if (report.Violations.Count > 0)
            Violations(report).Write(terminal);
        if (report.Run.Capped)
            terminal.Out.WriteLine("capped: all drift is counted, the values of some of it were not kept (Reconcile:MaxDrift)");
        if (report.Run.Detail is { } detail)
            terminal.Out.WriteLine(detail);
        var checks = report.SpotChecks.Sum(s => s.Rows);
        if (checks > 0)
            terminal.Out.WriteLine($"spot checks: {checks} rows value by value, {report.SpotChecks.Sum(s => s.Differing.Count)} differ");
        terminal.Out.WriteLine(
            $"run {report.Run.Id}: {report.Run.Verdict ?? report.Run.State}, {RateText.Of(report.Total.Rate)} of "
                + $"{Quantity.Count(report.Total.Compared)} keys{(report.Rows.LeftOut is { } left ? "; " + left : "")}"
        );
    }

    private static TextTable Numbers(RunReport report)
    {
        var grid = new TextTable(
            "entity",
            "consistency",
            "compared",
            "missing",
            "extra",
            "differing",
            "in flight",
            "quarantined",
            "holes",
            "loading"
        );
        foreach (var e in report.Entities)
            grid.Add(
                e.State == "stopped" ? e.Entity + " (not compared)" : e.Entity,
                RateText.Of(e.Numbers.Rate),
                Quantity.Count(e.Numbers.Compared),
                Quantity.Count(e.Numbers.Missing),
                Quantity.Count(e.Numbers.Extra),
                Quantity.Count(e.Numbers.Differing),
                Quantity.Count(e.Numbers.InFlight),
                Quantity.Count(e.Numbers.Quarantined),
                Quantity.Count(e.Numbers.Holes),
                Quantity.Count(e.Numbers.Loading)
            );
        return grid;
    }

    private static TextTable Drift(RunReport report, int most)
    {
        var grid = new TextTable("entity", "key", "what", "field", "odoo", "engine", "first seen");
        foreach (var d in report.Drift.Take(most))
            grid.Add(
                d.Entity,
                KeyText.Of(d.Key),
                d.Kind,
                d.Field,
                Value(d.OdooValue, d.Kind == "extra"),
                Value(d.EngineValue, d.Kind == "missing"),
                Quantity.Time(d.FirstSeen)
            );
        return grid;
    }

    private static TextTable Totals(IReadOnlyList<ReportedTotal> totals)
    {
        var grid = new TextTable("entity", "column", "program", "company", "odoo", "engine", "difference");
        foreach (var t in totals)
            grid.Add(
                t.Entity,
                t.Field,
                t.Program?.ToString() ?? "-",
                t.Company?.ToString() ?? "-",
                t.Odoo.ToString(),
                t.Engine.ToString(),
                t.Difference.ToString()
            );
        return grid;
    }

    private static TextTable Violations(RunReport report)
    {
        var grid = new TextTable("Odoo contradicts itself", "rows", "some keys");
        foreach (var v in report.Violations)
            grid.Add(v.Kind, Quantity.Count(v.Rows), string.Join(" ", v.Examples.Take(5).Select(KeyText.Of)));
        return grid;
    }

    private static string Value(string? value, bool noRow) =>
        value is null
            ? noRow
                ? "(no row)"
                : "NULL"
            : value.Length <= ShownCharacters
                ? value
                : value[..ShownCharacters] + "…";
}
