using Cdc.Capture.Snapshot;
using Cdc.Capture.Stream;

namespace Cdc.Capture;

/// <summary>
/// At every beat: which transactions have become visible (their keys are forgotten), the reference for 64-bit transaction ids, and a marker
/// with the source's time, which moves the slot, and how fresh the engine is, on a database where nothing else happens.
/// </summary>
internal sealed class HeartbeatLoop(SourceOptions options, MarkerWriter markers, ChunkLedger ledger, XidClock xids)
{
    public async Task RunAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(options.HeartbeatInterval);
        do
        {
            var snapshot = await markers.SnapshotAsync(ct);
            xids.Observe(snapshot.Xmax);
            ledger.Forget(snapshot);
            await markers.WriteHeartbeatAsync(CaptureLoop.HeartbeatPrefix, ct);
        } while (await timer.WaitForNextTickAsync(ct));
    }
}
