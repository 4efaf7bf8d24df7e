using System.CommandLine;
using System.Text.Json;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Quarantine;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class QuarantineShowCommand
{
    private static readonly Argument<string> Entity = new("ENTITY") { Description = "Entity or table." };
    private static readonly Argument<string> Key = QuarantineCommand.KeyArgument();
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "show",
            """
            Explain one entry: why, since when, the values in Odoo's row, and what can be done.

            Example:
              cdc quarantine show card 17
            """
        )
        {
            Entity,
            Key,
            AsJson,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        var entity = context.Entity(options, parsed.GetRequiredValue(Entity));
        var key = QuarantineCommand.KeyOf(parsed.GetRequiredValue(Key), entity);
        var filter = new QuarantineFilter(entity.Name, [key]);
        await using var engine = CommandContext.Engine(options);
        var entry =
            (await engine.UseAsync(c => QuarantineQueries.ListAsync(c, filter, 1, ct), ct)).SingleOrDefault()
            ?? throw new CdcException(
                FailureKind.Usage,
                $"{entity.Name} {KeyText.Of(key)} is not in quarantine.",
                $"cdc quarantine list {entity.Name}"
            );
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(entry));
        else
            Show(context.Terminal.Out, entry, QuarantineAdvice.Explain(entry.Reason, entity));
        return ExitCodes.Success;
    }

    private static void Show(TextWriter writer, QuarantineEntry entry, string explained)
    {
        writer.WriteLine($"{entry.Entity} {KeyText.Of(entry.Key)} is in quarantine since {Quantity.Time(entry.FirstSeen)}");
        writer.WriteLine($"  reason:    {entry.Reason}");
        writer.WriteLine($"  because:   {explained}");
        writer.WriteLine($"  detail:    {entry.Detail}");
        writer.WriteLine(
            $"  attempts:  {entry.Attempts}, the last {Quantity.Time(entry.LastSeen)}"
                + $"{(entry.RetryRequested ? ", a retry is asked for" : "")}"
        );
        writer.WriteLine($"  change:    {entry.Position}, committed {Quantity.Time(entry.CommitAt)}");
        ShowRow(writer, entry.SourceRow);
        writer.WriteLine("What to do (one of these):");
        foreach (var line in QuarantineAdvice.WhatToDo(entry.Entity, entry.Key))
            writer.WriteLine("  - " + line);
    }

    private static void ShowRow(TextWriter writer, JsonElement? row)
    {
        writer.WriteLine(row is null ? "Odoo's row was not kept." : "Odoo's row:");
        if (row is { ValueKind: JsonValueKind.Object } values)
            foreach (var column in values.EnumerateObject())
                writer.WriteLine($"  {column.Name} = {column.Value.GetRawText()}");
    }
}
