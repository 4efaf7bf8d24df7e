using System.CommandLine;
using Cdc.Capture.Slot;
using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Engine.Tables;
using Cdc.Host.Configuration;
using Cdc.Host.Slots;
using Cdc.Host.Status;
using Cdc.Host.Terminals;
using Cdc.Pipeline.Setup;

namespace Cdc.Host.Commands;

internal static class SlotResetCommand
{
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "reset",
            """
            Accept a gap: new slot from now on, new generation, every table read again while 'cdc run' streams; rows deleted in Odoo
            since then are removed. Runbook: ops/runbooks/slot-reset.md

            Examples:
              cdc slot show
              cdc slot reset
              cdc slot reset --yes
            """
        )
        {
            Yes,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        var entities = context.Entities(options);
        await using var source = CommandContext.Source(options);
        var followed = await new SourceTable(options.Engine).ReadAsync(ct) ?? throw SlotRefusals.NothingFollowed();
        var slot = (await source.UseAsync(c => SourceStatusReader.ReadAsync(c, options.Source.SlotName, ct), ct)).Slot;
        SlotRefusals.ThrowIfRead(slot);
        SlotRefusals.ThrowIfPartial(await new SlotSetup(options.Source, entities).ReadPublicationAsync(ct), options.Source.Publication);
        Confirmation.Obtain(context.Terminal, WhatWillHappen(options, entities, followed, slot), parsed.GetValue(Yes));
        var generation = await new SourceSetup(options.Pipeline, entities, context.Log).ResetAsync(ct);
        context.Terminal.Out.WriteLine($"generation {generation} begins; {options.Capturer} loads {entities.Count} entities again");
        return ExitCodes.Success;
    }

    private static IEnumerable<string> WhatWillHappen(CdcOptions options, EntitySet entities, FollowedSource followed, SlotStatus? slot)
    {
        yield return slot is null
            ? $"slot {options.Source.SlotName} is created (there is none)"
            : $"slot {slot.Name} is dropped, with the {Quantity.Bytes(slot.RetainedBytes)} of WAL that it keeps, and created anew";
        if (followed.Slot != options.Source.SlotName)
            yield return $"slot {followed.Slot}, which the engine followed so far, is left alone: drop it if nothing else reads it, or "
                + "it fills the disk";
        yield return (
            followed.State == SourceState.Creating
                ? $"generation {followed.Generation}, which was begun, is completed"
                : $"the engine leaves generation {followed.Generation} for a later one"
        ) + "; its rows stay readable, as old as they are, until they are read again";
        yield return $"as soon as {options.Capturer} is up, these are read again from Odoo: {string.Join(", ", entities.All.Select(e => e.Name))}";
        yield return "rows deleted in Odoo since then are removed when their range has been read";
        yield return "nothing changes in Odoo's tables";
    }
}
