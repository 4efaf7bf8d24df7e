using Cdc.Apply.Rows;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Engine;
using Cdc.Engine.Snapshots;
using Cdc.Engine.Tables;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Apply.Snapshots;

/// <summary>Loads chunks on separate connections, and finishes every chunk.</summary>
internal sealed class ChunkSink(EngineOptions options, WriterFactory writers, ChunkFinisher finisher, IChunkOwner owner, LoadGate gate)
    : IChunkSink,
        IAsyncDisposable
{
    private readonly ConnectionPool<LoadConnection> _connections = new(
        ct => LoadConnection.OpenAsync(options, writers, ct),
        load => load.Connection
    );

    public bool TryReserve(Chunk chunk) => chunk.Job.Kind == ChunkKind.Load && gate.TryReserve(chunk.Job);

    public async Task LoadAsync(Chunk chunk, ChunkRows rows, CancellationToken ct)
    {
        try
        {
            await UseAsync(load => load.LoadAsync(chunk, rows, owner, ct), ct);
            CrashPoint.Hit("after-load");
        }
        finally
        {
            gate.Release(chunk.Job);
        }
    }

    public async Task<long> FinishAsync(Chunk chunk, CancellationToken ct)
    {
        var swept = await UseAsync(load => finisher.FinishAsync(load.Connection, chunk, ct), ct);
        CrashPoint.Hit("after-chunk-finished");
        return swept;
    }

    public ValueTask DisposeAsync() => _connections.DisposeAsync();

    private Task<T> UseAsync<T>(Func<LoadConnection, Task<T>> work, CancellationToken ct) =>
        EngineErrors.GuardAsync(() => _connections.UseAsync(work, ct));

    /// <summary>One connection with its staging tables.</summary>
    private sealed class LoadConnection(BatchWriter writer) : IAsyncDisposable
    {
        private readonly EngineTransaction _transaction = writer.Transaction;
        private readonly BatchFolder _rows = new(writer.Entities);

        public NpgsqlConnection Connection => writer.Connection;

        public static async Task<LoadConnection> OpenAsync(EngineOptions options, WriterFactory writers, CancellationToken ct)
        {
            var connection = await EngineConnection.OpenAsync(options, EngineRole.Load, ct);
            try
            {
                return new LoadConnection(await writers.CreateAsync(connection, ct));
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        }

        /// <returns>The chunk, whose rows are committed.</returns>
        public async Task<Chunk> LoadAsync(Chunk chunk, ChunkRows rows, IChunkOwner owner, CancellationToken ct)
        {
            await writer.BeginAsync(ct);
            chunk.LoadedIntoEmptyRange = !await HasRowsAsync(chunk, ct);
            // Keys that are known by a hash are compared with those that were met before, which a copy does not do.
            if (!chunk.LoadedIntoEmptyRange || rows.SpelledKeys is not null || !await TryCopyAsync(chunk, rows, ct))
                await WriteAsync(chunk, rows.ChangesIn(chunk), ct);
            await CheckpointTable.AnnounceAsync(Connection, [.. writer.Notices], ct);
            await owner.AssertOwnedAsync(Connection, chunk, ct);
            await _transaction.CommitAsync(ct);
            return chunk;
        }

        public ValueTask DisposeAsync() => Connection.DisposeAsync();

        /// <summary>False: the engine refused a row, and nothing of the chunk is written.</summary>
        private async Task<bool> TryCopyAsync(Chunk chunk, ChunkRows rows, CancellationToken ct)
        {
            try
            {
                var left = await writer.Of(chunk.Job.Entity).EmptyRange.WriteAsync(rows, chunk, ct);
                _transaction.HasWork = true;
                if (left.Count > 0)
                    await WriteAsync(chunk, left, ct);
                return true;
            }
            catch (PostgresException e) when (EngineErrors.IsOfRow(e))
            {
                await _transaction.RollbackAsync(ct);
                await writer.BeginAsync(ct);
                return false;
            }
        }

        private async Task WriteAsync(Chunk chunk, IEnumerable<RowChange> changes, CancellationToken ct)
        {
            _rows.Clear();
            foreach (var change in changes)
                _rows.Add(change);
            await writer.WriteAsync(_rows, Keys(chunk.Job.Entity), StraightCopy.None, ct);
            _rows.Clear();
            if (writer.TakeCollisions() is [var collision, ..])
                throw collision;
        }

        private long[][] Keys(int entity)
        {
            var keys = Enumerable.Range(0, writer.Entities.Count).Select(_ => Array.Empty<long>()).ToArray();
            keys[entity] = [.. _rows.Of(entity).Keys.Order()];
            return keys;
        }

        private Task<bool> HasRowsAsync(Chunk chunk, CancellationToken ct)
        {
            var range = chunk.Job.Range;
            return Connection.Statement(writer.Of(chunk.Job.Entity).Sql.HasRows, Bound(range.From), Bound(range.To)).ScalarAsync<bool>(ct);
        }

        private static NpgsqlParameter Bound(long? key) =>
            new() { Value = (object?)key ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };
    }
}
