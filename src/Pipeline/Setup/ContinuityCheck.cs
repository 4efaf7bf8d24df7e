using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;

namespace Cdc.Pipeline.Setup;

/// <summary>
/// Progress is bound to its source: is the slot the one that was followed, on the server that was followed? PostgreSQL
/// keeps no creation point of a slot, and a slot's confirmed LSN may step back after a crash of the source; only forward is impossible.
/// </summary>
internal static class ContinuityCheck
{
    private const string Accept =
        "See 'cdc slot show'; accept it and read everything again with 'cdc slot reset' (ops/runbooks/slot-reset.md).";

    /// <returns>The first of <see cref="FindAll"/>; null if nothing is broken.</returns>
    public static DeclaredGapException? Find(FollowedSource followed, SourceOptions options, PresentSource now) =>
        FindAll(followed, options, now) is [var first, ..] ? new DeclaredGapException(first.Code, first.Message, first.Remedy) : null;

    /// <summary>Everything that prevents a continuation; each code is the kind of a gap.</summary>
    public static IReadOnlyList<Finding> FindAll(FollowedSource followed, SourceOptions options, PresentSource now)
    {
        IEnumerable<Finding> all =
        [
            .. Recorded(followed),
            .. OfIdentity(followed, now),
            .. OfSlot(followed, options, now),
            .. OfPublication(followed, options, now),
            .. OfWal(followed, now),
        ];
        // What was recorded says what was seen then; what is seen now may be repaired by more than accepting it.
        return [.. all.GroupBy(f => f.Code).Select(g => g.First() with { Remedy = g.Last().Remedy })];
    }

    /// <summary>
    /// Only the server's identity differs, as after pg_upgrade, or only what Odoo calls itself: an operator may confirm that it is the same
    /// Odoo.
    /// </summary>
    public static bool IsAdoptable(FollowedSource followed, IReadOnlyList<Finding> findings, PresentSource now) =>
        findings is [{ Code: GapKinds.SourceChanged }]
        && now.Server.Identity is var identity
        && (
            (identity.DatabaseName == followed.Database && identity.SystemIdentifier != followed.SystemIdentifier)
            || (IsSameDatabase(followed, identity) && HasOtherUuid(followed, identity))
        );

    /// <summary>By its OID, which stays when it is renamed.</summary>
    private static bool IsSameDatabase(FollowedSource followed, SourceIdentity now) =>
        now.SystemIdentifier == followed.SystemIdentifier && followed.DatabaseOid is { } oid && now.DatabaseOid == oid;

    private static bool HasOtherUuid(FollowedSource followed, SourceIdentity now) =>
        followed.DatabaseUuid is { } uuid && now.DatabaseUuid is { } found && found != uuid;

    /// <summary>
    /// Where the configuration led elsewhere nothing was missed: that gap ends when the configuration is fixed. Any other stays until it is
    /// accepted.
    /// </summary>
    private static IEnumerable<Finding> Recorded(FollowedSource followed)
    {
        if (
            followed is
            { State: SourceState.Gap, GapKind: not (GapKinds.SourceChanged or GapKinds.SlotRenamed or GapKinds.PublicationRenamed) }
        )
            yield return Gap(followed.GapKind ?? "unknown", followed.GapDetail ?? "A gap was declared.", Accept);
    }

    private static IEnumerable<Finding> OfIdentity(FollowedSource followed, PresentSource now)
    {
        var identity = now.Server.Identity;
        if (IsSameDatabase(followed, identity) && HasOtherUuid(followed, identity))
            yield return Gap(
                GapKinds.SourceChanged,
                $"Odoo's database.uuid in {identity.DatabaseName} is {identity.DatabaseUuid}; the engine has followed the Odoo whose uuid is "
                    + $"{followed.DatabaseUuid}: this is a copy of it, or another one.",
                "Correct Source:ConnectionString; if it is the same Odoo with a new uuid, run 'cdc slot adopt'; if this is the one to follow from "
                    + "now on, 'cdc slot reset'."
            );
        else if (
            identity.SystemIdentifier != followed.SystemIdentifier
            || (identity.DatabaseName != followed.Database && !IsSameDatabase(followed, identity))
        )
            yield return Gap(
                GapKinds.SourceChanged,
                $"The engine has followed database {followed.Database} of system {followed.SystemIdentifier}; the source is now "
                    + $"{identity.DatabaseName} of system {identity.SystemIdentifier}{Uuids(followed, identity)}.",
                "If it is the same data on a new cluster (pg_upgrade), run 'cdc slot adopt'; otherwise correct Source:ConnectionString, "
                    + "or run 'cdc slot reset'."
            );
        else if (followed.DatabaseOid is { } oid && identity.DatabaseOid is { } found && found != oid)
            yield return Gap(
                GapKinds.SourceChanged,
                $"Database {identity.DatabaseName} is not the one that the engine has followed: it was made anew, or another one has its name "
                    + $"now (OID {found}, not {oid}).",
                "Its slot is not there. Correct Source:ConnectionString, or, if this is the one to follow from now on, run 'cdc slot reset'."
            );
        else if (identity.Timeline != followed.Timeline && !(now.SwitchPoint >= followed.Through))
            yield return Gap(
                GapKinds.TimelineChanged,
                $"The source is on timeline {identity.Timeline}, which left timeline {followed.Timeline} at "
                    + $"{now.SwitchPoint?.ToString() ?? "an unknown point"}; changes are applied through {followed.Through}.",
                Accept
            );
    }

    private static string Uuids(FollowedSource followed, SourceIdentity now) =>
        followed.DatabaseUuid is null || now.DatabaseUuid is null ? ""
        : HasOtherUuid(followed, now) ? ", and its Odoo is another one by its database.uuid"
        : ", and its Odoo is the same one by its database.uuid";

    private static IEnumerable<Finding> OfSlot(FollowedSource followed, SourceOptions options, PresentSource now)
    {
        if (followed.Slot != options.SlotName)
            yield return Gap(
                GapKinds.SlotRenamed,
                $"The engine has followed slot {followed.Slot}; the configuration names {options.SlotName}.",
                $"Set Source:SlotName back to {followed.Slot}, or run 'cdc slot reset'."
            );
        else if (now.Slot is not { } slot)
            yield return Gap(
                GapKinds.SlotMissing,
                $"Slot {followed.Slot} does not exist on the source: changes since {followed.Written} are lost.",
                Accept
            );
        else if (slot.IsLost)
            yield return Gap(GapKinds.SlotLost, $"Slot {slot.Name} is {slot.Loss}", Accept);
        else if (slot.ConfirmedFlushLsn is { } confirmed && confirmed > followed.Written)
            yield return Gap(
                GapKinds.SlotAdvanced,
                $"Slot {slot.Name} is confirmed up to {confirmed}; this engine has written no more than {followed.Written}. The slot was "
                    + "recreated or advanced, or the engine was restored from a backup.",
                Accept
            );
    }

    private static IEnumerable<Finding> OfPublication(FollowedSource followed, SourceOptions options, PresentSource now)
    {
        if (now.Publication == PublicationState.Missing && followed.Publication != options.Publication)
            yield return Gap(
                GapKinds.PublicationRenamed,
                $"The engine has followed publication {followed.Publication}; the configuration names {options.Publication}, which does "
                    + "not exist on the source.",
                $"Set Source:Publication back to {followed.Publication}, or run 'cdc slot reset'."
            );
        else if (now.Publication == PublicationState.Missing)
            yield return Gap(
                GapKinds.PublicationMissing,
                $"Publication {options.Publication} does not exist on the source: changes since it was dropped cannot be decoded.",
                Accept
            );
        else if (now.Publication == PublicationState.Partial)
            yield return Gap(
                GapKinds.PublicationPartial,
                $"Publication {options.Publication} does not publish every operation: changes were left out.",
                $"Run: {SlotSql.PublishEverything(options.Publication)} then 'cdc slot reset' (ops/runbooks/slot-reset.md)."
            );
    }

    private static IEnumerable<Finding> OfWal(FollowedSource followed, PresentSource now)
    {
        if (now.Server.FlushLsn < followed.Through)
            yield return Gap(
                GapKinds.SourceBehind,
                $"The source's WAL ends at {now.Server.FlushLsn}; changes are applied through {followed.Through}. The source was "
                    + "restored from a backup.",
                Accept
            );
    }

    private static Finding Gap(string kind, string message, string remedy) => new(kind, IsError: true, message, remedy);
}
