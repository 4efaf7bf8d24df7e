namespace Cdc.Core.Snapshots;

/// <summary>What is still to be read, kept in the engine so that a restart goes on at the last finished chunk.</summary>
public interface IChunkQueue
{
    /// <summary>Something to read that does not touch what is being read already; null if there is nothing.</summary>
    /// <param name="waiting">Entities that cannot be read yet: they must not hold up the others.</param>
    Task<ChunkJob?> NextAsync(IReadOnlyCollection<ChunkJob> busy, IReadOnlyCollection<int> waiting, CancellationToken ct);

    /// <summary>Cuts a job in two at a key: returns the part below it, the rest waits its turn. Survives a crash.</summary>
    Task<ChunkJob> SplitAsync(ChunkJob job, long at, CancellationToken ct);

    /// <summary>64-bit xid below which every transaction must have ended before chunks of this entity are read.</summary>
    ulong BarrierXid(int entity);

    /// <summary>Completes when there may be something new to read.</summary>
    Task WaitAsync(TimeSpan atMost, CancellationToken ct);
}
