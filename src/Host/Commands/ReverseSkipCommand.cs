using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Engine.Ownership;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class ReverseSkipCommand
{
    private static readonly Argument<long> Card = new("CARD")
    {
        Description = "Id of the card in the engine, as 'cdc reverse status' shows it.",
    };
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "skip",
            """
            Give up the change at which a card has stopped: it will not be in Odoo, and no longer in the engine. What waits behind it goes on.

            Something is sent in its place, so that a late copy of the call can never bring it after all; only when Odoo has that is the change
            given up ('failed' in sync_log). If it came before, it stays.

            Examples:
              cdc reverse skip 4711
            """
        )
        {
            Card,
            Yes,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        var cards =
            context.Entities(options).Cards
            ?? throw new CdcException(
                FailureKind.Usage,
                "Nothing of the declaration flows back to Odoo.",
                "Give the card's entity a \"reverse\" (docs/declaration.md)."
            );
        var card = parsed.GetValue(Card);
        Confirmation.Obtain(
            context.Terminal,
            [
                $"the change at which card {card} has stopped is given up: what it changed is undone in the engine",
                "the changes behind it are sent",
            ],
            parsed.GetValue(Yes)
        );
        await using var engine = CommandContext.Engine(options);
        if (!await engine.UseAsync(c => new GivenUpChanges(cards).BeginAsync(c, card, ct), ct))
            throw new CdcException(
                FailureKind.Usage,
                $"Card {card} has not stopped, or its change is being given up already.",
                "See 'cdc reverse status'."
            );
        context.Terminal.Out.WriteLine($"the change is being given up: 'cdc reverse status' shows when card {card} goes on");
        return ExitCodes.Success;
    }
}
