using Cdc.Capture.Slot;
using Cdc.Capture.Stream;
using Cdc.Core.Failures;

namespace Cdc.Capture.Checks;

/// <summary>Whether an existing slot is one that this pipeline can stream from.</summary>
public static class SlotCheck
{
    /// <summary>Code of the finding that the slot is in another database of the source's server.</summary>
    public const string OfAnotherDatabase = "slot-database";

    internal static IEnumerable<Finding> Findings(SlotInfo slot, string database)
    {
        var other =
            $"Name another slot in Source:SlotName, or drop this one if it is not needed: SELECT pg_drop_replication_slot('{slot.Name}');";
        if (slot.Plugin != PgOutputSlot.PluginName)
            yield return Error(
                "slot-plugin",
                $"Slot {slot.Name} is {(slot.Plugin is null ? "physical" : $"decoded by {slot.Plugin}")}, not by pgoutput.",
                other
            );
        else if (slot.Database != database)
            yield return Error(OfAnotherDatabase, $"Slot {slot.Name} belongs to database {slot.Database}, not to {database}.", other);
        if (slot.IsTemporary)
            yield return Error("slot-temporary", $"Slot {slot.Name} is temporary: it ends with the session that created it.", other);
        if (slot.IsLost)
            yield return Error(
                GapKinds.SlotLost,
                $"Slot {slot.Name} is {slot.Loss}",
                "cdc slot reset -- makes a new slot and reads every table again"
            );
        else if (slot.WalStatus == "unreserved")
            yield return new Finding(
                "slot-unreserved",
                IsError: false,
                $"Slot {slot.Name} is beyond max_slot_wal_keep_size: the next checkpoint of the source may remove WAL that it needs.",
                "Start capture now, or raise the limit: ALTER SYSTEM SET max_slot_wal_keep_size = '200GB'; SELECT pg_reload_conf();"
            );
    }

    private static Finding Error(string code, string message, string remedy) => new(code, IsError: true, message, remedy);
}
