using Cdc.Apply.Fences;
using Cdc.Apply.Snapshots;
using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Cdc.Engine.Fences;
using Cdc.Engine.Snapshots;

namespace Cdc.Apply.Partitions;

/// <summary>While the engine is away there is nothing to read.</summary>
internal sealed class PatientChunkQueue(Reopened<ChunkTable> table, Func<int, ulong> barrierOf) : IChunkQueue
{
    public Task<ChunkJob?> NextAsync(IReadOnlyCollection<ChunkJob> busy, IReadOnlyCollection<int> waiting, CancellationToken ct) =>
        table.TryAsync(queue => queue.NextAsync(busy, waiting, ct), null, ct);

    public Task<ChunkJob> SplitAsync(ChunkJob job, long at, CancellationToken ct) =>
        table.InsistAsync(queue => queue.SplitAsync(job, at, ct), ct);

    public ulong BarrierXid(int entity) => barrierOf(entity);

    public Task WaitAsync(TimeSpan atMost, CancellationToken ct) => Task.Delay(atMost, ct);
}

/// <summary>While the engine is away no fence is asked for, and those that were are given up.</summary>
internal sealed class PatientFenceQueue(Reopened<FenceTable> table, FenceSignals signals) : IFenceQueue
{
    private Task _changed = Task.CompletedTask;

    public Task<IReadOnlyList<FenceRequest>> PendingAsync(CancellationToken ct)
    {
        _changed = signals.Next;
        return table.TryAsync(queue => queue.PendingAsync(ct), [], ct);
    }

    public Task<bool> ArmAsync(long fence, CancellationToken ct) => table.TryAsync(queue => queue.ArmAsync(fence, ct), false, ct);

    public Task PostponeAsync(long fence, string reason, string detail, CancellationToken ct) =>
        table.TryAsync(
            async queue =>
            {
                await queue.PostponeAsync(fence, reason, detail, ct).ConfigureAwait(false);
                return true;
            },
            false,
            ct
        );

    public Task BreakAsync(long fence, string reason, string detail, CancellationToken ct) =>
        table.TryAsync(
            async queue =>
            {
                await queue.BreakAsync(fence, reason, detail, ct).ConfigureAwait(false);
                return true;
            },
            false,
            ct
        );

    public Task WaitAsync(TimeSpan atMost, CancellationToken ct) => FenceSignals.WaitAsync(_changed, atMost, ct);
}
