using System.CommandLine;
using Cdc.Core.Operations;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Quarantine;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class QuarantineDiscardCommand
{
    private static readonly Argument<string?> Entity = QuarantineCommand.EntityArgument();
    private static readonly Argument<string[]> Keys = QuarantineCommand.KeysArgument();
    private static readonly Option<bool> All = QuarantineCommand.AllOption();
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "discard",
            """
            Forget entries: the engine continues without these changes. Asks first.

            Examples:
              cdc quarantine discard card 17
              cdc quarantine discard --all --yes
            """
        )
        {
            Entity,
            Keys,
            All,
            Yes,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        var filter = QuarantineCommand.DemandFilter(context, options, parsed.GetValue(Entity), parsed.GetValue(Keys), parsed.GetValue(All));
        await using var engine = CommandContext.Engine(options);
        var count = await engine.UseAsync(c => QuarantineQueries.CountAsync(c, filter, ct), ct);
        if (count > 0)
        {
            Confirmation.Obtain(context.Terminal, WhatWillHappen(filter, count), parsed.GetValue(Yes));
            count = await engine.UseAsync(c => QuarantineQueries.DiscardAsync(c, filter, context.Entities(options), ct), ct);
        }
        context.Terminal.Out.WriteLine($"{count} entries discarded ({filter})");
        return ExitCodes.Success;
    }

    private static string[] WhatWillHappen(QuarantineFilter filter, long count) =>
        [
            $"{count} quarantine entries are deleted: {filter}",
            "their changes stay out of the engine: it keeps an older version of each row, or none, and so differs from Odoo",
            "a later change of such a row in Odoo, or 'cdc snapshot', brings it back (or into quarantine again)",
            "nothing changes in Odoo",
        ];
}
