using Cdc.Core.Changes;

namespace Cdc.Capture.Slot;

/// <summary>A replication slot as pg_replication_slots shows it.</summary>
/// <param name="Plugin">Null for a physical slot.</param>
/// <param name="Database">Null for a physical slot.</param>
/// <param name="ConfirmedFlushLsn">Everything below was confirmed. May step back after a crash of the source.</param>
/// <param name="WalStatus"><c>reserved</c>, <c>extended</c>, <c>unreserved</c> or <c>lost</c>; null if it reserves nothing yet.</param>
/// <param name="InvalidationReason">Why the server gave the slot up, where its version says so (17 and later).</param>
public sealed record SlotInfo(
    string Name,
    string? Plugin,
    string? Database,
    bool IsTemporary,
    bool IsActive,
    int? ActivePid,
    Lsn? ConfirmedFlushLsn,
    string? WalStatus,
    string? InvalidationReason
)
{
    /// <summary>Standbys get a copy of it (17 and later); null where the server knows no such thing.</summary>
    public bool? IsFailover { get; init; }

    /// <summary>What a slot that <see cref="IsLost"/> is lost by, as the rest of a sentence: <c>lost (idle_timeout): …</c>.</summary>
    public string Loss =>
        $"lost ({InvalidationReason ?? WalStatus}): "
        + InvalidationReason switch
        {
            "rows_removed" or "conflict" => "the source has removed rows of its catalog that decoding needs.",
            "wal_level_insufficient" => "the source ran with a wal_level below logical.",
            "idle_timeout" => "nothing read it for as long as idle_replication_slot_timeout says.",
            _ => "the source has removed WAL that was not read yet.",
        };

    /// <summary>WAL that it needs is gone, or the server invalidated it: it can never be used again.</summary>
    public bool IsLost => WalStatus == "lost" || InvalidationReason is not null;
}
