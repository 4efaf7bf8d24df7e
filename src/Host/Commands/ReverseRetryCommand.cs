using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;

namespace Cdc.Host.Commands;

internal static class ReverseRetryCommand
{
    private static readonly Argument<long[]> Cards = new("CARD")
    {
        Description = "Ids of cards in the engine, as 'cdc reverse status' shows them.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<bool> All = new("--all") { Description = "Every card that stopped." };

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "retry",
            """
            Have the changes at which cards stopped sent again, and what waits behind them. Harmless where Odoo has them already.

            Examples:
              cdc reverse retry 4711
              cdc reverse retry --all
            """
        )
        {
            Cards,
            All,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var cards = parsed.GetValue(Cards) ?? [];
        if (parsed.GetValue(All) == cards.Length > 0)
            throw new CdcException(FailureKind.Usage, "The command does not say which cards are meant.", "Name cards, or --all.");
        var options = context.Options(Needs.Engine);
        await using var engine = CommandContext.Engine(options);
        var again = await engine.UseAsync(c => SyncLogTable.RetryAsync(c, cards, ct), ct);
        context.Terminal.Out.WriteLine($"{again} changes will be sent again");
        return ExitCodes.Success;
    }
}
