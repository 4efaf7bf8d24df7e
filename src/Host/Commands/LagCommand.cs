using System.CommandLine;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Status;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class LagCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Refresh every second until Ctrl-C." };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "lag",
            """
            Show for each partition of the Kafka log its end, the engine's checkpoint, and the records between them; and the WAL that the slot keeps.
            In-process the log is Odoo's own: for each table its end and what is applied, as LSNs.

            Examples:
              cdc lag
              cdc lag --json | jq .messagesBehind
              cdc lag --watch
            """
        )
        {
            Watch,
            AsJson,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        await using var engine = CommandContext.Engine(options);
        await using var source = CommandContext.Source(options, engine);
        var entities = context.Entities(options);
        using var log = LogStatusReader.For(options, entities, context.Log, context.Time);
        var reader = new LogLagReader(source, engine, options.Source.SlotName, entities, log);
        var json = parsed.GetValue(AsJson);
        if (parsed.GetValue(Watch))
            await WatchAsync(context, reader, json, ct);
        else
            Show(context.Terminal, await reader.ReadAsync(ct), json, oneLine: false);
        return ExitCodes.Success;
    }

    /// <summary>Until Ctrl-C, or until nothing reads its output: the normal end, success. A server that is down is reported, and waited for.</summary>
    private static async Task WatchAsync(CommandContext context, LogLagReader reader, bool json, CancellationToken ct)
    {
        using var tick = new PeriodicTimer(Interval, context.Time);
        try
        {
            do await ShowAsync(context.Terminal, reader, json, ct);
            while (await tick.WaitForNextTickAsync(ct) && !context.Terminal.OutHasNoReader());
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Ctrl-C.
        }
    }

    private static async Task ShowAsync(Terminal terminal, LogLagReader reader, bool json, CancellationToken ct)
    {
        try
        {
            Show(terminal, await reader.ReadAsync(ct), json, oneLine: true);
        }
        catch (CdcException failure) when (failure.Kind == FailureKind.Unavailable)
        {
            FailureReport.Write(terminal, failure);
        }
    }

    private static void Show(Terminal terminal, LogLagReport report, bool json, bool oneLine)
    {
        if (json)
        {
            terminal.Out.WriteLine(oneLine ? Json.Line(report) : Json.Document(report));
            return;
        }
        var grid = new TextTable("topic", "partition", "log end", "checkpoint", "messages behind", "seconds behind");
        foreach (var p in report.Partitions)
            grid.Add(
                p.Topic,
                $"{p.Partition}",
                Offset(p.LogEnd, report),
                Offset(p.Checkpoint, report),
                Quantity.Count(p.MessagesBehind),
                p.StoppedSeconds is { } stopped ? $"stopped for {Quantity.Duration(stopped)}" : Quantity.Duration(p.SecondsBehind)
            );
        grid.Write(terminal);
        if (!report.IsInProcess)
            foreach (var lost in report.Partitions.Where(Lag.HasLost))
                terminal.Out.WriteLine(
                    $"{lost.Topic} partition {lost.Partition} ends before what the engine has applied of it: the topic was made anew, or "
                        + "the brokers have lost records -> ops/runbooks/kafka.md"
                );
        if (report.State is not "streaming" || report.Reason is not null)
            terminal.Out.WriteLine($"{report.State}{(report.Gap is { } gap ? $" ({gap})" : "")}: {report.Reason ?? "see 'cdc status'"}");
        terminal.Out.WriteLine(
            (
                report.IsInProcess
                    ? $"{Quantity.Bytes(report.BytesBehind)} behind"
                    : $"{Quantity.Count(report.MessagesBehind)} messages behind"
            )
                + $", {Quantity.Duration(report.SecondsBehind)}; the slot keeps "
                + $"{Quantity.Bytes(report.SlotBytes)} of WAL"
        );
    }

    private static string Offset(long? offset, LogLagReport report) =>
        report.IsInProcess && offset is { } lsn ? new Lsn((ulong)lsn).ToString() : Quantity.Count(offset);
}
