using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Engine.Snapshots;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.LogCapture;

/// <summary>
/// Chunks over the Kafka log: their rows travel in it. When every partition of the topic has passed a chunk's end, its range is swept and
/// recorded as finished.
/// </summary>
internal sealed class LogChunkSink(SharedConnection asking, EngineOptions options, ChunkFinisher finisher, EngineOutage outage)
    : IChunkSink,
        IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>Sweeps may be long: one does not wait for another.</summary>
    private readonly ConnectionPool<NpgsqlConnection> _connections = new(
        ct => EngineConnection.OpenAsync(options, EngineRole.Load, ct),
        connection => connection
    );

    public bool TryReserve(Chunk chunk) => false;

    public Task LoadAsync(Chunk chunk, ChunkRows rows, CancellationToken ct) =>
        throw new InvalidOperationException("Over Kafka a chunk's rows travel in the log.");

    public async Task<long> FinishAsync(Chunk chunk, CancellationToken ct)
    {
        while (!await outage.OrElseAsync(() => HasPassedAsync(chunk, ct), false, ct))
            await Task.Delay(PollInterval, ct);
        // A sweep may be repeated: if it was committed when the engine failed, it finds nothing more.
        return await outage.RetryUntilAvailableAsync(() => SweepAsync(chunk, ct), ct);
    }

    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private Task<bool> HasPassedAsync(Chunk chunk, CancellationToken ct) =>
        asking.UseAsync(connection => PartitionTable.HavePassedAsync(connection, chunk.Vector!, ct), ct);

    private Task<long> SweepAsync(Chunk chunk, CancellationToken ct) =>
        EngineErrors.GuardAsync(() => _connections.UseAsync(connection => finisher.FinishAsync(connection, chunk, ct), ct));
}

/// <summary>A chunk is void when another capture session has begun, in the engine or in one of the log's partitions.</summary>
/// <param name="session">Number of the session in the engine.</param>
/// <param name="logSession">Number of the session in the log.</param>
internal sealed class LogChunkOwner(long session, long logSession) : IChunkOwner
{
    public async Task AssertOwnedAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct)
    {
        await SourceTable.LockSessionAsync(connection, session, ct);
        foreach (var (partition, newest) in await PartitionTable.LockSessionsAsync(connection, chunk.Vector!.Keys, ct))
            if (newest > logSession)
                throw new FencedException($"Partition {partition} has records of session {newest}; this one is {logSession}.");
    }
}
