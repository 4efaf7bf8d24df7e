using System.Collections.Concurrent;
using Cdc.Apply.Rows;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Cdc.Engine;
using Cdc.Engine.Progress;
using Cdc.Engine.Snapshots;
using Npgsql;

namespace Cdc.Apply.Snapshots;

/// <summary>Loads chunks on connections of their own, and finishes every chunk: sweep, and the record that its range is done.</summary>
internal sealed class ChunkSink(EntitySet entities, EngineOptions options, WriterFactory writers, IChunkOwner owner, LoadGate gate)
    : IChunkSink,
        IAsyncDisposable
{
    private readonly ConcurrentBag<LoadConnection> _idle = [];

    public bool TryReserve(Chunk chunk) => chunk.Job.Kind == ChunkKind.Load && gate.TryReserve(chunk.Job);

    public Task LoadAsync(Chunk chunk, ChunkRows rows, CancellationToken ct) =>
        EngineErrors.GuardAsync(() => LoadReservedAsync(chunk, rows, ct));

    public Task<long> FinishAsync(Chunk chunk, CancellationToken ct) => EngineErrors.GuardAsync(() => SweepAndRecordAsync(chunk, ct));

    private async Task LoadReservedAsync(Chunk chunk, ChunkRows rows, CancellationToken ct)
    {
        try
        {
            var connection = await TakeAsync(ct).ConfigureAwait(false);
            await connection.LoadAsync(chunk, rows, owner, ct).ConfigureAwait(false);
            CrashPoint.Hit("after-load");
            _idle.Add(connection);
        }
        finally
        {
            gate.Release(chunk.Job);
        }
    }

    private async Task<long> SweepAndRecordAsync(Chunk chunk, CancellationToken ct)
    {
        var connection = await TakeAsync(ct).ConfigureAwait(false);
        var swept = await connection.FinishAsync(chunk, owner, ct).ConfigureAwait(false);
        CrashPoint.Hit("after-chunk-finished");
        _idle.Add(connection);
        return swept;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _idle)
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<LoadConnection> TakeAsync(CancellationToken ct) =>
        _idle.TryTake(out var connection)
            ? connection
            : await LoadConnection.OpenAsync(entities, options, writers, ct).ConfigureAwait(false);

    /// <summary>One connection with its staging tables. Not given back after a failure: the session ends then.</summary>
    private sealed class LoadConnection : IAsyncDisposable
    {
        private readonly EntitySet _entities;
        private readonly NpgsqlConnection _connection;
        private readonly IReadOnlyList<EntityWriter> _entityWriters;
        private readonly EngineTransaction _transaction;
        private readonly BatchWriter _writer;
        private readonly BatchFolder _rows;

        private LoadConnection(EntitySet entities, NpgsqlConnection connection, IReadOnlyList<EntityWriter> entityWriters)
        {
            (_entities, _connection, _entityWriters) = (entities, connection, entityWriters);
            (_transaction, _rows) = (new EngineTransaction(connection), new BatchFolder(entities.Count));
            _writer = new BatchWriter(entities, entityWriters, _transaction);
        }

        public static async Task<LoadConnection> OpenAsync(
            EntitySet entities,
            EngineOptions options,
            WriterFactory writers,
            CancellationToken ct
        )
        {
            var connection = await EngineConnection.OpenAsync(options, "load", ct).ConfigureAwait(false);
            return new LoadConnection(entities, connection, await writers.CreateAsync(connection, ct).ConfigureAwait(false));
        }

        public async Task LoadAsync(Chunk chunk, ChunkRows rows, IChunkOwner owner, CancellationToken ct)
        {
            await _writer.BeginAsync(ct).ConfigureAwait(false);
            chunk.LoadedIntoEmptyRange = !await HasRowsAsync(chunk, ct).ConfigureAwait(false);
            if (!chunk.LoadedIntoEmptyRange || !await TryCopyAsync(chunk, rows, ct).ConfigureAwait(false))
                await WriteAsync(chunk, rows.ChangesIn(chunk), ct).ConfigureAwait(false);
            await AnnounceAsync([.. _writer.Notices], ct).ConfigureAwait(false);
            await owner.AssertOwnedAsync(_connection, chunk, ct).ConfigureAwait(false);
            await _transaction.CommitAsync(ct).ConfigureAwait(false);
        }

        public async Task<long> FinishAsync(Chunk chunk, IChunkOwner owner, CancellationToken ct)
        {
            await _transaction.BeginAsync(ct).ConfigureAwait(false);
            var swept = chunk.DroppedAll ? 0 : await SweepAsync(chunk, ct).ConfigureAwait(false);
            CrashPoint.Hit("after-sweep");
            if (chunk.Job.Id > 0)
                await RecordAsync(chunk, swept, ct).ConfigureAwait(false);
            await owner.AssertOwnedAsync(_connection, chunk, ct).ConfigureAwait(false);
            await _transaction.CommitAsync(ct).ConfigureAwait(false);
            return swept;
        }

        public ValueTask DisposeAsync() => _connection.DisposeAsync();

        /// <summary>False: the engine refused a row, and nothing of the chunk is written.</summary>
        private async Task<bool> TryCopyAsync(Chunk chunk, ChunkRows rows, CancellationToken ct)
        {
            try
            {
                var left = await _entityWriters[chunk.Job.Entity].EmptyRange.WriteAsync(rows, chunk, ct).ConfigureAwait(false);
                _transaction.HasWork = true;
                if (left.Count > 0)
                    await WriteAsync(chunk, left, ct).ConfigureAwait(false);
                return true;
            }
            catch (PostgresException e) when (EngineErrors.IsOfRow(e))
            {
                await _transaction.RollbackAsync(ct).ConfigureAwait(false);
                await _writer.BeginAsync(ct).ConfigureAwait(false);
                return false;
            }
        }

        private async Task WriteAsync(Chunk chunk, IEnumerable<RowChange> changes, CancellationToken ct)
        {
            _rows.Clear();
            foreach (var change in changes)
                _rows.Add(change);
            await _writer.WriteAsync(_rows, Keys(chunk.Job.Entity), StraightCopy.None, ct).ConfigureAwait(false);
            _rows.Clear();
        }

        private long[][] Keys(int entity)
        {
            var keys = Enumerable.Range(0, _entities.Count).Select(_ => Array.Empty<long>()).ToArray();
            keys[entity] = [.. _rows.Of(entity).Keys.Order()];
            return keys;
        }

        private async Task<bool> HasRowsAsync(Chunk chunk, CancellationToken ct)
        {
            await using var command = new NpgsqlCommand(_entityWriters[chunk.Job.Entity].Sql.HasRows, _connection)
            {
                Parameters = { ChunkTable.Key(chunk.Job.Range.From), ChunkTable.Key(chunk.Job.Range.To) },
            };
            return (bool)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
        }

        private async Task<long> SweepAsync(Chunk chunk, CancellationToken ct)
        {
            var job = chunk.Job;
            await using var batch = new NpgsqlBatch(_connection);
            var (rows, entries) = _entityWriters[job.Entity].Sql.Sweep(job.Keys is not null);
            foreach (var statement in chunk.LoadedIntoEmptyRange ? entries : entries.Prepend(rows))
            {
                var command = new NpgsqlBatchCommand(statement);
                command.Parameters.Add(ChunkTable.Key(job.Range.From));
                command.Parameters.Add(ChunkTable.Key(job.Range.To));
                command.Parameters.Add(ChunkTable.Keys(job.Keys));
                command.Parameters.Add(ChunkTable.Keys(chunk.Dropped));
                foreach (var parameter in EntityWriter.PositionParameters(chunk.First))
                    command.Parameters.Add(parameter);
                batch.BatchCommands.Add(command);
            }
            // Entries that close without a row make an answer about that row another one too.
            if (
                await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false) > 0
                && _entities[job.Entity] is { NotifyColumn: not null } entity
            )
                await AnnounceAsync([(TouchedRows.ChannelOf(entity), ChangeNotice.Everything)], ct).ConfigureAwait(false);
            return chunk.LoadedIntoEmptyRange ? 0 : (long)batch.BatchCommands[0].RecordsAffected;
        }

        private async Task AnnounceAsync((string Channel, string Notice)[] notices, CancellationToken ct)
        {
            if (notices.Length == 0)
                return;
            await using var batch = new NpgsqlBatch(_connection);
            foreach (var notice in notices)
                batch.BatchCommands.Add(CheckpointTable.Announce(notice));
            await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }

        private async Task RecordAsync(Chunk chunk, long swept, CancellationToken ct)
        {
            var name = _entities[chunk.Job.Entity].Name;
            await using var batch = new NpgsqlBatch(_connection)
            {
                BatchCommands =
                {
                    // Of two chunks that finish at once the second must see that the first has.
                    new("SELECT FROM cdc.tables WHERE entity = $1 FOR UPDATE") { Parameters = { new() { Value = name } } },
                    new("UPDATE cdc.chunks SET state = 'done', rows = $2, swept = $3, finished_at = now() WHERE id = $1")
                    {
                        Parameters =
                        {
                            new() { Value = chunk.Job.Id },
                            new() { Value = (long)chunk.Rows },
                            new() { Value = swept },
                        },
                    },
                    new(
                        $"""
                        WITH done AS (
                            UPDATE cdc.requests r SET state = 'done', answered_at = now(), answer = s.rows || ' rows read, ' || s.swept || ' rows removed'
                            FROM (SELECT request, sum(rows) AS rows, sum(swept) AS swept, count(*) FILTER (WHERE state = 'pending') AS pending
                                  FROM cdc.chunks WHERE request = (SELECT request FROM cdc.chunks WHERE id = $1) GROUP BY request) s
                            WHERE r.id = s.request AND s.pending = 0 RETURNING r.id)
                        SELECT pg_notify('{RequestChannels.Answers}', id::text) FROM done
                        """
                    )
                    {
                        Parameters = { new() { Value = chunk.Job.Id } },
                    },
                    new(
                        """
                        UPDATE cdc.tables SET state = 'streaming', updated_at = now() WHERE entity = $1 AND state = 'loading'
                          AND NOT EXISTS (SELECT FROM cdc.chunks c WHERE c.entity = $1 AND c.state = 'pending')
                        """
                    )
                    {
                        Parameters = { new() { Value = name } },
                    },
                },
            };
            await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
    }
}
