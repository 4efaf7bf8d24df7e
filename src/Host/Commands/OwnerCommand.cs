using System.CommandLine;
using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.Ownership;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

/// <summary>Who owns a card: whose changes count.</summary>
internal static class OwnerCommand
{
    private static readonly string[] Owners = ["odoo", "engine"];

    private static readonly Argument<string> Card = new("CARD") { Description = "The card's code; with --id its id in the engine." };
    private static readonly Argument<string[]> CardAndOwner = new("[CARD] OWNER")
    {
        Description = "The card's code (with --id its id in the engine; none with --company), and its new owner: odoo or engine.",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<bool> ById = new("--id") { Description = "CARD is the card's id in the engine." };
    private static readonly Option<long?> Company = new("--company")
    {
        Description = "All cards of the company with this id.",
        HelpName = "N",
    };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new("owner", "Who owns cards: whose changes count, Odoo's or the engine's.")
        {
            new ExplainedCommand(
                "show",
                """
                Show a card's owner, what the engine has changed of it, and what of that is not in Odoo.

                Examples:
                  cdc owner show 0441-1234-5678
                  cdc owner show --id 4711 --json
                """
            )
            {
                Card,
                ById,
                AsJson,
            }.Runs(host, ShowAsync),
            new ExplainedCommand(
                "set",
                """
                Change the owner of a card, or of all cards of a company: one transaction, on record.

                It is the raw command: nothing is frozen, waited for or compared before. What Odoo changes of a card that the engine owns is
                kept as a conflict; back to Odoo go only cards of which everything is in Odoo.

                Examples:
                  cdc owner set 0441-1234-5678 engine
                  cdc owner set --id 4711 odoo --yes
                  cdc owner set --company 3 engine
                """
            )
            {
                CardAndOwner,
                ById,
                Company,
                Yes,
            }.Runs(host, SetAsync),
        };

    private static async Task<int> ShowAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        var owners = new CardOwners(Cards(context.Entities(options)));
        await using var engine = CommandContext.Engine(options);
        var found = await FindAsync(engine, owners, parsed.GetRequiredValue(Card), parsed.GetValue(ById), ct);
        if (parsed.GetValue(AsJson))
        {
            context.Terminal.Out.WriteLine(Json.Document(new { cards = found }));
            return ExitCodes.Success;
        }
        var grid = new TextTable("id", "code", "owner", "own number", "in Odoo", "pending", "conflicts", "Odoo has", "changed", "by");
        foreach (var card in found)
            grid.Add(
                Number(card.Key),
                card.Code ?? "-",
                card.Owner,
                Number(card.OwnNumber),
                Number(card.OdooNumber),
                Number(card.Pending),
                Number(card.Conflicts),
                card.Base is null ? "the same"
                    : card.Base == "null" ? "deleted it"
                    : card.Base,
                Quantity.Time(card.ChangedAt),
                card.ChangedBy ?? "-"
            );
        grid.Write(context.Terminal);
        return ExitCodes.Success;
    }

    private static async Task<int> SetAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        var owners = new CardOwners(Cards(context.Entities(options)));
        var words = parsed.GetRequiredValue(CardAndOwner);
        var owner = words[^1];
        if (!Owners.Contains(owner))
            throw new CdcException(FailureKind.Usage, $"'{owner}' owns no cards.", NearestName.Remedy(owner, Owners, "Name one of"));
        if (words.Length != (parsed.GetValue(Company) is null ? 2 : 1))
            throw new CdcException(
                FailureKind.Usage,
                "Name one card, or a company.",
                "cdc owner set CARD engine, or: cdc owner set --company N engine"
            );
        await using var engine = CommandContext.Engine(options);
        var scope = parsed.GetValue(Company) is { } company
            ? new OwnerScope(null, company)
            : new OwnerScope(await OneAsync(engine, owners, words[0], parsed.GetValue(ById), ct), null);
        var count = await engine.UseAsync(c => owners.CountAsync(c, scope, owner, ct), ct);
        if (count == 0)
        {
            context.Terminal.Error.WriteLine($"Nothing to do: no such card has another owner than {owner}.");
            return ExitCodes.Success;
        }
        Confirmation.Obtain(
            context.Terminal,
            owner == "engine"
                ?
                [
                    $"{count} cards belong to the engine: it may write them, and their moves and history",
                    "what Odoo changes of them from now on does not count: it is kept as a conflict, but for numbers to which both add",
                ]
                : [$"{count} cards belong to Odoo again: what the engine writes of them is refused"],
            parsed.GetValue(Yes)
        );
        var changed = await engine.UseAsync(c => owners.SetAsync(c, scope, owner, "cdc owner set", ct), ct);
        context.Terminal.Out.WriteLine($"{changed} cards belong to {owner} now");
        return ExitCodes.Success;
    }

    /// <exception cref="CdcException">Usage: nothing has owners here.</exception>
    private static EntityDeclaration Cards(EntitySet entities) =>
        entities.Cards
        ?? throw new CdcException(
            FailureKind.Usage,
            "Nothing of the declaration flows back to Odoo: all cards are Odoo's.",
            "Give the card's entity a \"reverse\" (docs/declaration.md), then run 'cdc migrate'."
        );

    private static async Task<long> OneAsync(Database engine, CardOwners owners, string card, bool byId, CancellationToken ct)
    {
        var found = await FindAsync(engine, owners, card, byId, ct);
        return found is [var only]
            ? only.Key
            : throw new CdcException(
                FailureKind.Usage,
                $"{found.Count} cards have the code {card}: {string.Join(", ", found.Select(f => f.Key))}.",
                "Name one by its id: cdc owner set --id ID OWNER"
            );
    }

    private static async Task<List<CardOwner>> FindAsync(Database engine, CardOwners owners, string card, bool byId, CancellationToken ct)
    {
        long? key = null;
        if (byId)
            key = long.TryParse(card, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var id)
                ? id
                : throw new CdcException(FailureKind.Usage, $"{card} is no id.", "Leave --id out, if it is the card's code.");
        var found = await engine.UseAsync(c => owners.FindAsync(c, byId ? null : card, key, ct), ct);
        return found.Count > 0
            ? found
            : throw new CdcException(
                FailureKind.Usage,
                $"The engine has no card {card}.",
                byId ? "Leave --id out, if it is the card's code." : "Write the code as the engine has it, or name the id: --id ID"
            );
    }

    private static string Number(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "-";
}
