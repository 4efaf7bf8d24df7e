using Cdc.Core.Fences;
using Cdc.Core.Snapshots;

namespace Cdc.Engine.LogCapture;

/// <summary>While the engine is unreachable there is nothing to read.</summary>
internal sealed class OutageTolerantChunkQueue(IChunkQueue queue, EngineOutage outage) : IChunkQueue
{
    public Task<ChunkJob?> NextAsync(IReadOnlyCollection<ChunkJob> busy, IReadOnlyCollection<int> waiting, CancellationToken ct) =>
        outage.OrElseAsync(() => queue.NextAsync(busy, waiting, ct), null, ct);

    public Task<ChunkJob> SplitAsync(ChunkJob job, long at, CancellationToken ct) =>
        outage.RetryUntilAvailableAsync(() => queue.SplitAsync(job, at, ct), ct);

    public ulong BarrierXid(int entity) => queue.BarrierXid(entity);

    public Task WaitAsync(TimeSpan atMost, CancellationToken ct) => queue.WaitAsync(atMost, ct);
}

/// <summary>While the engine is unreachable there are no requests for fences, and open ones are given up.</summary>
internal sealed class OutageTolerantFenceQueue(IFenceQueue queue, EngineOutage outage) : IFenceQueue
{
    public Task<IReadOnlyList<FenceRequest>> PendingAsync(CancellationToken ct) => outage.OrElseAsync(() => queue.PendingAsync(ct), [], ct);

    public Task<bool> ArmAsync(long fence, CancellationToken ct) => outage.OrElseAsync(() => queue.ArmAsync(fence, ct), false, ct);

    public Task PostponeAsync(long fence, string reason, string detail, CancellationToken ct) =>
        outage.OrLeaveOutAsync(() => queue.PostponeAsync(fence, reason, detail, ct), ct);

    public Task BreakAsync(long fence, string reason, string detail, CancellationToken ct) =>
        outage.OrLeaveOutAsync(() => queue.BreakAsync(fence, reason, detail, ct), ct);

    public Task WaitAsync(TimeSpan atMost, CancellationToken ct) => queue.WaitAsync(atMost, ct);
}
