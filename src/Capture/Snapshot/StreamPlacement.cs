using Cdc.Capture.Source;

namespace Cdc.Capture.Snapshot;

/// <summary>
/// What gives a chunk or a fence its exact place in the stream: the ledger remembers the keys of transactions that its snapshot may not see,
/// the barrier makes it wait for transactions that ran before the session, the marker comes back in the stream where it belongs.
/// </summary>
internal sealed record StreamPlacement(ChunkLedger Ledger, ReadBarrier Barrier, CaptureLoop Stream, MarkerWriter Markers);
