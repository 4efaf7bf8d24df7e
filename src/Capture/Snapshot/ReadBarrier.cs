using Cdc.Core.Snapshots;

namespace Cdc.Capture.Snapshot;

/// <summary>
/// When an entity may be read by a chunk or a fence: every transaction has ended that this session may not know all about. Such are those
/// that ran when it started (some may have been streamed before), those that ran when the table joined the publication, and those whose
/// rows were skipped.
/// </summary>
/// <param name="startXmax">Above every transaction that had begun to write when the session started.</param>
internal sealed class ReadBarrier(ulong startXmax, IChunkQueue queue, ChunkLedger ledger, MarkerWriter markers)
{
    /// <summary>Null: it may be read now. Otherwise the oldest running transaction, and what must have become the oldest.</summary>
    public async Task<(ulong Xmin, ulong Barrier)?> FindAsync(int entity, CancellationToken ct)
    {
        var now = await markers.SnapshotAboveWritersAsync(ct);
        var barrier = Math.Max(Math.Max(startXmax, queue.BarrierXid(entity)), ledger.BarrierXid(entity, now));
        return now.Xmin >= barrier ? null : (now.Xmin, barrier);
    }
}
