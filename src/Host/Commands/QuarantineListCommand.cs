using System.CommandLine;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Quarantine;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class QuarantineListCommand
{
    private static readonly Argument<string?> Entity = QuarantineCommand.EntityArgument();
    private static readonly Argument<string[]> Keys = QuarantineCommand.KeysArgument();
    private static readonly Option<int> Limit = new("--limit")
    {
        Description = "Entries shown at most (oldest first).",
        DefaultValueFactory = _ => 100,
        HelpName = "N",
    };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "list",
            """
            List entries, oldest first. Values of rows are shown only by 'quarantine show'.

            Examples:
              cdc quarantine list
              cdc quarantine list card --limit 1000
              cdc quarantine list card 17 18 --json
            """
        )
        {
            Entity,
            Keys,
            Limit,
            AsJson,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var limit = parsed.GetValue(Limit);
        if (limit < 1)
            throw new CdcException(
                FailureKind.Usage,
                $"--limit {limit} shows nothing.",
                "Give the number of entries to show: --limit 100."
            );
        var options = context.Options(Needs.Engine);
        var filter = QuarantineCommand.Filter(context, options, parsed.GetValue(Entity), parsed.GetValue(Keys));
        await using var engine = CommandContext.Engine(options);
        var (entries, total) = await engine.UseAsync(
            async c => (await QuarantineQueries.ListAsync(c, filter, limit, ct), await QuarantineQueries.CountAsync(c, filter, ct)),
            ct
        );
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(new { total, entries = entries.Select(e => e with { SourceRow = null }) }));
        else
            Show(context.Terminal, entries, total);
        return ExitCodes.Success;
    }

    private static void Show(Terminal terminal, List<QuarantineEntry> entries, long total)
    {
        var grid = new TextTable("entity", "key", "reason", "detail", "since", "attempts", "retry");
        foreach (var e in entries)
            grid.Add(
                e.Entity,
                KeyText.Of(e.Key),
                e.Reason,
                e.Detail,
                Quantity.Time(e.FirstSeen),
                e.Attempts.ToString(),
                e.RetryRequested ? "asked for" : "-"
            );
        if (entries.Count > 0)
            grid.Write(terminal);
        terminal.Out.WriteLine(entries.Count < total ? $"{entries.Count} of {total} entries; --limit shows more" : $"{total} entries");
    }
}
