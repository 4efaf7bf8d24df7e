using System.CommandLine;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Operations;
using Cdc.Host.Configuration;
using Cdc.Host.Slots;
using Cdc.Host.Status;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

internal static class SlotDropCommand
{
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "drop",
            """
            Drop the slot, so that the source keeps no WAL for it. Do this when cdc is no longer used here.

            Examples:
              cdc slot drop
              cdc slot drop --yes
            """
        )
        {
            Yes,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Source);
        await using var source = CommandContext.Source(options);
        var slot = (await source.UseAsync(c => SourceStatusReader.ReadAsync(c, options.Source.SlotName, ct), ct)).Slot;
        SlotRefusals.ThrowIfRead(slot);
        if (slot is not null)
        {
            Confirmation.Obtain(context.Terminal, WhatWillHappen(slot), parsed.GetValue(Yes));
            await SourceFailure.GuardAsync(() => new SlotSetup(options.Source, context.Entities(options)).DropSlotAsync(ct));
        }
        context.Terminal.Out.WriteLine(slot is null ? $"slot {options.Source.SlotName} does not exist" : $"slot {slot.Name} dropped");
        return ExitCodes.Success;
    }

    private static string[] WhatWillHappen(SlotStatus slot) =>
        [
            $"slot {slot.Name} is dropped; the {Quantity.Bytes(slot.RetainedBytes)} of WAL that it keeps may be removed by the server",
            "changes in it that the engine does not have yet are lost to streaming: to continue later needs 'cdc slot reset', which "
                + "reads every table again",
            "the publication and all data stay",
        ];
}
