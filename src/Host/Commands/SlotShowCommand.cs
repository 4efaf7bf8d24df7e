using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Slots;
using Cdc.Host.Status;
using Cdc.Host.Terminals;
using Cdc.Pipeline.Setup;

namespace Cdc.Host.Commands;

internal static class SlotShowCommand
{
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "show",
            """
            Show the slot, what the engine remembers of it, and whether the two still fit. Changes nothing. Exit code 5: they do not.

            Examples:
              cdc slot show
              cdc slot show --json | jq -r .verdict
            """
        )
        {
            AsJson,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        await using var source = CommandContext.Source(options);
        var status = await source.UseAsync(c => SourceStatusReader.ReadAsync(c, options.Source.SlotName, ct), ct);
        var report = SlotReport.Of(await Continuity.ReadAsync(options.Pipeline, context.Entities(options), context.Log, ct), status);
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(report));
        else
            SlotView.Write(report, context.Terminal.Out);
        return report.IsBroken ? ExitCodes.Of(FailureKind.DeclaredGap) : ExitCodes.Success;
    }
}
