using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Host.Status;

namespace Cdc.Host.Slots;

/// <summary>Compares the slot with what the engine remembers of it: is everything that is missing in the engine still in the slot?</summary>
internal static class SlotVerdict
{
    private const string Reset = "cdc slot reset";

    /// <summary>Everything that speaks against going on. Identity is apart from it: <see cref="IdentityOf"/>.</summary>
    public static IReadOnlyList<Finding> ContinuityOf(FollowedSource followed, SourceStatus source)
    {
        var findings = new List<Finding>();
        if (source.Slot is not { } slot)
            Add("slot-missing", $"Slot {followed.Slot} does not exist. Changes since {followed.Through} may be gone.");
        else
        {
            if (slot.Plugin != "pgoutput") Add("slot-plugin", $"Slot {slot.Name} decodes with {slot.Plugin ?? "nothing (a physical slot)"}, not with pgoutput.");
            if (slot.Database != source.Database) Add("slot-database", $"Slot {slot.Name} belongs to database {slot.Database}, not to {source.Database}.");
            if (slot.WalStatus == "lost") Add("slot-lost", $"The server removed WAL that slot {slot.Name} needed (max_slot_wal_keep_size).");
            if (slot.ConfirmedFlushLsn is { } confirmed && Lsn.Parse(confirmed) > followed.WrittenLsn)
                Add("slot-ahead", $"Slot {slot.Name} is confirmed up to {confirmed}, the engine wrote only {followed.WrittenLsn}: "
                    + "the slot was created again or advanced, or the engine comes from a backup.");
        }
        if (Lsn.Parse(source.FlushLsn) < followed.Through)
            Add("source-behind", $"The source ends at {source.FlushLsn}, the engine has applied up to {followed.Through}: the source comes from a backup.");
        return findings;

        void Add(string code, string message) => findings.Add(new Finding(code, IsError: true, message, Reset));
    }

    /// <summary>Null: it is the server and database that the engine follows.</summary>
    public static Finding? IdentityOf(FollowedSource followed, SourceStatus source)
    {
        if (followed.Database != source.Database)
            return new Finding("other-database", IsError: true, $"The engine follows database {followed.Database}, this is {source.Database}.",
                $"Correct Source:ConnectionString, or {Reset}");
        if (followed.SystemIdentifier != source.SystemIdentifier || followed.Timeline != source.Timeline)
            return new Finding("other-identity", IsError: true,
                $"The engine follows system {followed.SystemIdentifier} on timeline {followed.Timeline}, this is {source.SystemIdentifier} on timeline {source.Timeline}.",
                $"If it is the same Odoo after pg_upgrade or a failover: cdc slot adopt. Otherwise: {Reset}");
        return null;
    }
}
