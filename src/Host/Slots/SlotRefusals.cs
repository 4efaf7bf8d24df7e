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

    public static CdcException NothingFollowed() =>
        new(FailureKind.Refused, "This engine follows no source yet, so there is nothing to reset, to adopt or to let go of.", "cdc run");
}
