using System.CommandLine;
using System.Globalization;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

/// <summary>What Odoo changed of what the engine owns: a person looks at it.</summary>
internal static class ConflictsCommand
{
    private const int Most = 100;

    private static readonly Option<bool> Settled = new("--settled") { Description = "Also those that somebody has settled." };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();
    private static readonly Option<bool> Yes = GlobalOptions.Yes();
    private static readonly Argument<long> One = new("CONFLICT") { Description = "Its number, as 'cdc conflicts list' shows it." };
    private static readonly Argument<long[]> Several = new("CONFLICT")
    {
        Description = "Numbers, as 'cdc conflicts list' shows them.",
        Arity = ArgumentArity.OneOrMore,
    };

    public static Command Create(CommandHost host) =>
        new("conflicts", "Changes that Odoo made to what the engine owns: the engine's values stayed.")
        {
            new ExplainedCommand(
                "list",
                """
                Show conflicts that nobody has settled, the newest first, at most a hundred.

                Examples:
                  cdc conflicts list
                  cdc conflicts list --settled --json
                """
            )
            {
                Settled,
                AsJson,
            }.Runs(host, ListAsync),
            new ExplainedCommand(
                "show",
                """
                Show one conflict, with what Odoo had before, what it has made of it, and what the engine keeps.

                Examples:
                  cdc conflicts show 17
                """
            )
            {
                One,
                AsJson,
            }.Runs(host, ShowAsync),
            new ExplainedCommand(
                "accept",
                """
                Take Odoo's value: it is written into the engine as a change of the engine's own, and goes to Odoo as such.

                Settles older conflicts of the same value, too.

                Examples:
                  cdc conflicts accept 17
                """
            )
            {
                One,
                Yes,
            }.Runs(host, AcceptAsync),
            new ExplainedCommand(
                "keep",
                """
                Leave the engine's values as they are: the conflicts are settled, and no alert speaks of them any more.

                What somebody changed in Odoo is overwritten there by itself; what Odoo made of a value that it was sent stays there.

                Examples:
                  cdc conflicts keep 17 18
                """
            )
            {
                Several,
            }.Runs(host, KeepAsync),
        };

    private static async Task<int> ListAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        await using var engine = CommandContext.Engine(options);
        var found = await engine.UseAsync(c => ConflictTable.ListAsync(c, parsed.GetValue(Settled), Most, ct), ct);
        if (parsed.GetValue(AsJson))
        {
            context.Terminal.Out.WriteLine(Json.Document(new { conflicts = found }));
            return ExitCodes.Success;
        }
        var grid = new TextTable("conflict", "entity", "key", "kind", "field", "Odoo has", "before", "the engine has", "seen", "settled");
        foreach (var c in found)
            grid.Add(
                Number(c.Id),
                c.Entity,
                Number(c.Key),
                c.Kind,
                c.Field,
                c.OdooValue ?? "-",
                c.BaseValue ?? "-",
                c.EngineValue ?? "-",
                Quantity.Time(c.SeenAt),
                c.Settlement ?? "-"
            );
        if (found.Count == 0)
            context.Terminal.Out.WriteLine("no conflicts");
        else
            grid.Write(context.Terminal);
        return ExitCodes.Success;
    }

    private static async Task<int> ShowAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        await using var engine = CommandContext.Engine(options);
        var conflict = await FindAsync(engine, parsed.GetValue(One), ct);
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(conflict));
        else
            Write(context.Terminal.Out, conflict);
        return ExitCodes.Success;
    }

    private static async Task<int> AcceptAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        var entities = context.Entities(options);
        await using var engine = CommandContext.Engine(options);
        var id = parsed.GetValue(One);
        var conflict = await FindAsync(engine, id, ct);
        Confirmation.Obtain(
            context.Terminal,
            [
                $"{conflict.Field} of {conflict.Entity} {Number(conflict.Key)} becomes {conflict.OdooValue ?? "NULL"} in the engine (it was {conflict.EngineValue ?? "NULL"} when Odoo changed it)",
                "it is a change of the engine's own, and goes to Odoo as such",
            ],
            parsed.GetValue(Yes)
        );
        await engine.UseAsync(c => ConflictTable.AcceptAsync(c, entities, id, ct), ct);
        context.Terminal.Out.WriteLine($"conflict {Number(id)} is settled: the engine has Odoo's value");
        return ExitCodes.Success;
    }

    private static async Task<int> KeepAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        await using var engine = CommandContext.Engine(options);
        long[] ids = [.. parsed.GetValue(Several)!.Distinct()];
        var settled = await engine.UseAsync(c => ConflictTable.KeepAsync(c, ids, ct), ct);
        context.Terminal.Out.WriteLine($"{Number(settled)} conflicts are settled: the engine's values stay");
        return ExitCodes.Success;
    }

    private static async Task<Conflict> FindAsync(Database engine, long id, CancellationToken ct) =>
        await engine.UseAsync(c => ConflictTable.FindAsync(c, id, ct), ct)
        ?? throw new CdcException(FailureKind.Usage, $"There is no conflict {Number(id)}.", "See 'cdc conflicts list --settled'.");

    private static void Write(TextWriter output, Conflict conflict)
    {
        output.WriteLine(
            $"{conflict.Entity} {Number(conflict.Key)}, {conflict.Field}: {Meaning(conflict.Kind)} (seen {Quantity.Time(conflict.SeenAt)})"
        );
        output.WriteLine($"Odoo had         {conflict.BaseValue ?? "-"}");
        output.WriteLine($"Odoo has         {conflict.OdooValue ?? "-"}");
        output.WriteLine($"the engine has   {conflict.EngineValue ?? "-"}");
        output.WriteLine(
            conflict.SettledAt is { } at
                ? $"{conflict.Settlement} by {conflict.SettledBy} {Quantity.Time(at)}"
                : $"open: cdc conflicts accept {Number(conflict.Id)} takes Odoo's value, cdc conflicts keep {Number(conflict.Id)} leaves the engine's"
        );
    }

    private static string Meaning(string kind) =>
        kind switch
        {
            "changed" => "somebody changed it in Odoo; the engine's value goes there again by itself",
            "altered" => "Odoo made something else of what it was sent",
            "deleted" => "Odoo has deleted the row",
            _ => "the number of the last change in Odoo went back; nothing is sent of the card",
        };

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
