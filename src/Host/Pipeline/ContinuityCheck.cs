using Cdc.Apply.Progress;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Changes;
using Cdc.Core.Failures;

namespace Cdc.Host.Pipeline;

/// <summary>
/// Progress is bound to its source: is the slot that is there now the one that was followed, on the server that was followed? PostgreSQL
/// keeps no creation point of a slot, and a slot's confirmed LSN may step back after a crash of the source; only forward is impossible.
/// </summary>
public static class ContinuityCheck
{
    private const string Accept = "Look with 'cdc slot show'; accept it and read everything again with 'cdc slot reset' (ops/runbooks/slot-reset.md).";

    /// <param name="switchPoint">Where the source's timeline left the followed one; null if it never was on it, or is still on it.</param>
    /// <returns>Null if nothing is broken.</returns>
    public static DeclaredGapException? Find(FollowedSource followed, string slotName, SlotInfo? slot, IdentifiedSource now, Lsn? switchPoint)
    {
        if (followed.State == "gap")
            return Gap(followed.GapKind ?? "unknown", followed.GapDetail ?? "A gap was declared.", Accept);
        return OfIdentity(followed, now, switchPoint) ?? OfSlot(followed, slotName, slot) ?? OfWal(followed, now);
    }

    private static DeclaredGapException? OfIdentity(FollowedSource followed, IdentifiedSource now, Lsn? switchPoint)
    {
        var identity = now.Identity;
        if (identity.SystemIdentifier != followed.SystemIdentifier || identity.DatabaseName != followed.Database)
            return Gap("source-changed",
                $"The engine has followed database {followed.Database} of system {followed.SystemIdentifier}; the source is now {identity.DatabaseName} of system {identity.SystemIdentifier}.",
                "If it is the same data on a new cluster (pg_upgrade), run 'cdc slot adopt'; otherwise mend Source:ConnectionString, or run 'cdc slot reset'.");
        if (identity.Timeline == followed.Timeline || (switchPoint is { } point && point >= followed.Through)) return null;
        return Gap("timeline-changed",
            $"The source is on timeline {identity.Timeline}, which left timeline {followed.Timeline} at {switchPoint?.ToString() ?? "an unknown point"}; changes are applied through {followed.Through}.", Accept);
    }

    private static DeclaredGapException? OfSlot(FollowedSource followed, string slotName, SlotInfo? slot)
    {
        if (followed.Slot != slotName)
            return Gap("slot-renamed", $"The engine has followed slot {followed.Slot}; the configuration names {slotName}.",
                $"Set Source:SlotName back to {followed.Slot}, or run 'cdc slot reset'.");
        if (slot is null)
            return Gap("slot-missing", $"Slot {slotName} does not exist on the source: changes since {followed.Written} are lost.", Accept);
        if (slot.IsLost)
            return Gap("slot-lost", $"Slot {slotName} is lost ({slot.InvalidationReason ?? slot.WalStatus}): the source has removed WAL that was not read yet.", Accept);
        if (slot.ConfirmedFlushLsn is { } confirmed && confirmed > followed.Written)
            return Gap("slot-advanced",
                $"Slot {slotName} is confirmed up to {confirmed}; this engine has written no more than {followed.Written}. The slot was recreated or advanced, or the engine was restored from a backup.", Accept);
        return null;
    }

    private static DeclaredGapException? OfWal(FollowedSource followed, IdentifiedSource now) =>
        now.FlushLsn >= followed.Through ? null
            : Gap("source-behind", $"The source's WAL ends at {now.FlushLsn}; changes are applied through {followed.Through}. The source was restored from a backup.", Accept);

    private static DeclaredGapException Gap(string kind, string message, string remedy) => new(kind, message, remedy);
}
