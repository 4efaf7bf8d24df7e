using System.CommandLine;
using Cdc.Core.Operations;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Quarantine;

namespace Cdc.Host.Commands;

internal static class QuarantineRetryCommand
{
    private static readonly Argument<string?> Entity = QuarantineCommand.EntityArgument();
    private static readonly Argument<string[]> Keys = QuarantineCommand.KeysArgument();
    private static readonly Option<bool> All = QuarantineCommand.AllOption();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "retry",
            """
            Have the rows read again from Odoo and applied; those that still fail stay, with one attempt more.
            'cdc run' does it, now or at its next start.

            Examples:
              cdc quarantine retry card 17
              cdc quarantine retry card
              cdc quarantine retry --all
            """
        )
        {
            Entity,
            Keys,
            All,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        var filter = QuarantineCommand.DemandFilter(context, options, parsed.GetValue(Entity), parsed.GetValue(Keys), parsed.GetValue(All));
        await using var engine = CommandContext.Engine(options);
        var marked = await engine.UseAsync(c => QuarantineQueries.RequestRetryAsync(c, filter, ct), ct);
        context.Terminal.Out.WriteLine($"{marked} entries will be read again ({filter})");
        return ExitCodes.Success;
    }
}
