using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Engine.Status;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Status;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class StatusCommand
{
    private static readonly Option<bool> Watch = new("--watch", "-w")
    {
        Description = "Refresh every second until Ctrl-C: a live table, or one line per refresh when not on a terminal.",
    };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "status",
            """
            Show how far the engine is behind Odoo, running snapshots, quarantine and the slot. Works while one of the two servers is down.

            Examples:
              cdc status
              cdc status --watch
              cdc status --json | jq .secondsBehind
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
        var reader = new StatusReader(
            source,
            engine,
            options.Source.SlotName,
            new EngineStatusReader(entities, log is not null),
            log,
            context.Time
        );
        if (parsed.GetValue(Watch))
            return await new StatusWatch(reader, context.Terminal, context.Time).RunAsync(parsed.GetValue(AsJson), ct);
        var report = await reader.ReadAsync(ct);
        Show(context.Terminal, report, parsed.GetValue(AsJson));
        return ExitCodeOf(report);
    }

    private static void Show(Terminal terminal, StatusReport report, bool json)
    {
        if (json)
            terminal.Out.WriteLine(Json.Document(report));
        else if (terminal.OutIsTerminal)
            terminal.Screen.Write(StatusView.ToScreen(report));
        else
            StatusView.WritePlain(report, terminal.Out);
    }

    /// <summary>Half a report is a report: the command fails only if nothing could be read.</summary>
    private static int ExitCodeOf(StatusReport report) =>
        report.SourceServer.Readable || report.EngineServer.Readable ? ExitCodes.Success : ExitCodes.Of(FailureKind.Unavailable);
}
