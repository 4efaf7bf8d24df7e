using System.Globalization;
using Spectre.Console;

namespace Cdc.Demo;

/// <summary>What the demo says: a live table on a terminal, plain lines elsewhere.</summary>
internal abstract class DemoView
{
    public static DemoView Create() => Console.IsOutputRedirected ? new PlainDemoView() : new TableDemoView();

    /// <summary>A step, in a sentence.</summary>
    public abstract void Say(string text);

    /// <summary>Calls <paramref name="work"/> with what to call for each new sample and its remark.</summary>
    public abstract Task LiveAsync(Func<Action<DemoSample, string>, Task> work);

    protected static string Lag(DemoSample sample) =>
        sample.LagMilliseconds is { } lag
            ? string.Create(CultureInfo.InvariantCulture, $"lag {lag:0} ms, {sample.LagBytes / 1024.0:#,0} KiB of WAL")
            : "loading";
}

internal sealed class PlainDemoView : DemoView
{
    public override void Say(string text) => Console.WriteLine(text);

    public override Task LiveAsync(Func<Action<DemoSample, string>, Task> work) =>
        work(
            (sample, remark) =>
            {
                var rows = string.Join(
                    "  ",
                    sample.Entities.Select(e =>
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{e.Name} {e.SourceRows}/{e.EngineRows}{(e.Quarantined > 0 ? $" (+{e.Quarantined} in quarantine)" : "")}"
                        )
                    )
                );
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{sample.Elapsed.TotalSeconds, 5:0} s  {sample.Transactions} tx  {rows}  {Lag(sample)}  {remark}"
                    )
                );
            }
        );
}

internal sealed class TableDemoView : DemoView
{
    private DemoSample? _last;

    public override void Say(string text) => AnsiConsole.MarkupLine(Markup.Escape(text));

    public override Task LiveAsync(Func<Action<DemoSample, string>, Task> work) =>
        AnsiConsole
            .Live(new Text("Waiting for the first rows …"))
            .StartAsync(live =>
                work(
                    (sample, remark) =>
                    {
                        live.UpdateTarget(Render(sample, remark));
                        live.Refresh();
                        _last = sample;
                    }
                )
            );

    private Table Render(DemoSample sample, string remark)
    {
        var table = new Table().Border(TableBorder.Rounded).Title("Odoo → engine");
        table.AddColumn("entity");
        foreach (var column in (string[])["rows in Odoo", "rows in the engine", "rows/s", "quarantine"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var entity in sample.Entities)
            table.AddRow(
                entity.Name,
                Number(entity.SourceRows),
                Number(entity.EngineRows),
                Number(RowsPerSecond(entity, sample)),
                Number(entity.Quarantined)
            );
        table.Caption(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{sample.Elapsed.TotalSeconds:0} s, {sample.Transactions:#,0} transactions, {Lag(sample)}. {remark}"
            )
        );
        return table;
    }

    private double RowsPerSecond(EntitySample entity, DemoSample sample)
    {
        var before = _last?.Entities.FirstOrDefault(e => e.Name == entity.Name);
        var seconds = (sample.Elapsed - (_last?.Elapsed ?? TimeSpan.Zero)).TotalSeconds;
        return before is null || seconds <= 0 ? 0 : (entity.EngineRows - before.EngineRows) / seconds;
    }

    private static string Number(double value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
