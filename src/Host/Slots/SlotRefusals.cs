using Cdc.Capture.Slot;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Host.Status;

namespace Cdc.Host.Slots;

/// <summary>What must hold before a slot is touched.</summary>
internal static class SlotRefusals
{
    public static void ThrowIfRead(SlotStatus? slot)
    {
        if (slot is { Active: true })
            throw new CdcException(
                FailureKind.Refused,
                $"Slot {slot.Name} is being read by pid {slot.ActivePid} of the source. Nothing was changed.",
                $"Stop 'cdc run' first. If it is gone and only its connection is left: SELECT pg_terminate_backend({slot.ActivePid});"
            );
    }

    /// <summary>The new generation would be in the same gap with its first change.</summary>
    public static void ThrowIfPartial(PublicationState state, string publication)
    {
        if (state == PublicationState.Partial)
            throw new CdcException(
                FailureKind.Refused,
                $"Publication {publication} does not publish every operation: after a reset the same gap would begin again. Nothing was changed.",
                $"As its owner: {SlotSql.PublishEverything(publication)} then 'cdc slot reset' again."
            );
    }

    public static CdcException NothingFollowed() =>
        new(FailureKind.Refused, "This engine follows no source yet, so there is nothing to reset, to adopt or to let go of.", "cdc run");
}
