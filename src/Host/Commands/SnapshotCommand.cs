using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Engine.Processes;
using Cdc.Engine.Requests;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Servers;
using Cdc.Host.Snapshots;
using Cdc.Host.Status;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class SnapshotCommand
{
    private static readonly Argument<string> Table = new("TABLE")
    {
        Description = "Entity, or the name of its table in Odoo or in the engine.",
    };
    private static readonly Option<string?> Keys = new("--keys")
    {
        Description = "From key A up to, but without, B; either may be left out.",
        HelpName = "A..B",
    };
    private static readonly Option<bool> AllowDeletes = new("--allow-deletes")
    {
        Description = "Rows that are gone in Odoo are removed though they are many; of a held table no more than about as many as wait.",
    };
    private static readonly Option<bool> Wait = new("--wait") { Description = "Show progress until it is done." };

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "snapshot",
            """
            Ask the running 'cdc run' to read a table, or a range of its keys, again from Odoo while it continues to stream.
            Rows that are gone in Odoo are removed from the engine: if they are many (Engine:MaxDeletedPercent, Engine:MaxDeletedRows) only with
            --allow-deletes, since a role that may not see all rows looks the same.

            Examples:
              cdc snapshot card
              cdc snapshot loyalty_point_history --keys 1000..2000 --wait
              cdc snapshot program_pos --keys 6,0..7,0
              cdc snapshot card --allow-deletes
            """
        )
        {
            Table,
            Keys,
            AllowDeletes,
            Wait,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var range = RangeOf(parsed.GetValue(Keys));
        var options = context.Options(Needs.Both);
        var entity = context.Entity(options, parsed.GetRequiredValue(Table));
        if (!KeyRangeText.IsOf(range, entity))
            throw new CdcException(
                FailureKind.Usage,
                $"{range} is no range of keys of {entity.Name}: its key is {entity.SourceKey.Shown}.",
                KeyRangeText.Remedy(entity, "--keys")
            );
        await using var engine = CommandContext.Engine(options);
        var allowed = parsed.GetValue(AllowDeletes) ? await AllowedAsync(engine, entity.Name, ct) : null;
        var id = await engine.UseAsync(c => SnapshotRequests.AskAsync(c, entity.Name, range, allowed, ct), ct);
        context.Terminal.Out.WriteLine(
            $"request {id}: {entity.Name} {(range == KeyRange.All ? "(all keys)" : range.ToString())}{Deleting(allowed)}"
        );
        if (await NotServedAsync(engine, options, ct) is { } warning)
            context.Terminal.Error.WriteLine(warning);
        return parsed.GetValue(Wait) ? await WaitAsync(context, engine, id, ct) : ExitCodes.Success;
    }

    /// <summary>What a person has seen, and a little for what Odoo deletes meanwhile: not a table that is emptied after the question.</summary>
    private static async Task<long?> AllowedAsync(Database engine, string entity, CancellationToken ct) =>
        await engine.UseAsync(c => SnapshotRequests.HeldAsync(c, entity, ct), ct) is { } held
            ? held + Math.Max(held / 10, 1000)
            : long.MaxValue;

    private static string Deleting(long? allowed) =>
        allowed switch
        {
            null => "",
            long.MaxValue => ", whatever number of rows is gone in Odoo is removed",
            { } rows => $", up to {Quantity.Count(rows)} rows that are gone in Odoo are removed",
        };

    private static KeyRange RangeOf(string? text)
    {
        if (text is null)
            return KeyRange.All;
        return KeyRangeText.TryParse(text)
            ?? throw new CdcException(
                FailureKind.Usage,
                $"'{text}' is not a range of keys.",
                "Write --keys A..B with A below B; either end may be left out: --keys 5000.."
            );
    }

    /// <summary>Null when the slot is being read, so that the request will be seen.</summary>
    private static async Task<string?> NotServedAsync(Database engine, CdcOptions options, CancellationToken ct)
    {
        try
        {
            await using var source = CommandContext.Source(options, engine);
            var status = await source.UseAsync(c => SourceStatusReader.ReadAsync(c, options.Source.SlotName, ct), ct);
            return status.Slot is { Active: true } ? null
                : await engine.UseAsync(c => RunningProcesses.PipelineAsync(c, ct), ct) is { } pipeline
                    ? $"Nothing reads the slot: {PipelineView.Up(pipeline)}"
                        + $"{(pipeline.Reason is { } reason ? $". {reason}" : ".")} The request stays open until it works again."
                : "No 'cdc run' is running: the request stays open and is picked up at its next start.";
        }
        catch (PausedException paused)
        {
            return $"{paused.Message} The request stays open until then, or until 'cdc resume'.";
        }
        catch (CdcException failure)
        {
            return $"Whether a 'cdc run' is running is not known. {failure.Message} The request stays open until one picks it up.";
        }
    }

    private static async Task<int> WaitAsync(CommandContext context, Database engine, long id, CancellationToken ct)
    {
        var answered = await new SnapshotWatch(engine, context.Terminal, context.Time).UntilAnsweredAsync(id, ct);
        if (answered.State == RequestState.Refused)
            throw new CdcException(
                FailureKind.Refused,
                $"Request {id} was refused: {answered.Answer ?? "no reason was given"}",
                "cdc status"
            );
        context.Terminal.Out.WriteLine($"request {id}: done{(answered.Answer is { } answer ? ", " + answer : "")}");
        return ExitCodes.Success;
    }
}
