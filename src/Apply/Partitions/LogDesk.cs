using Cdc.Apply.Rows;
using Cdc.Apply.Snapshots;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Cdc.Engine;
using Cdc.Engine.Fences;
using Cdc.Engine.Progress;
using Cdc.Engine.Snapshots;
using Cdc.Log.Kafka;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Apply.Partitions;

/// <summary>
/// The engine's side of one capture session over Kafka: what is to be read, what fences are asked for, and what Capture tells those who
/// apply besides the records (<see cref="ILogBoard"/>). The engine must be there when the session begins; later it may be away.
/// </summary>
public sealed class LogDesk : ILogBoard, IAsyncDisposable
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);

    private readonly KafkaLogSession _log;
    private readonly TableStates _tables;
    private readonly FenceSignals _signals;
    private readonly Reopened<DeskConnection> _desk;
    private readonly Reopened<ChunkTable> _chunks;
    private readonly Reopened<FenceTable> _fences;
    private readonly Reopened<FenceListener> _listener;
    private readonly Reopened<ChunkSink> _sink;
    private readonly DeadLetters _deadLetters;

    private LogDesk(
        EngineOptions options,
        EntitySet entities,
        KafkaLogSession kafka,
        Func<EntityDeclaration, string> topicOf,
        TableStates tables,
        int generation,
        long session,
        ILogger log
    )
    {
        (_log, _tables, Generation, Session) = (kafka, tables, generation, session);
        _signals = new FenceSignals(options);
        _desk = new(() => new DeskConnection(options), log);
        _chunks = new(() => new ChunkTable(entities, options, tables, generation), log);
        _fences = new(() => new FenceTable(entities, options, _signals, generation, session), log);
        _listener = new(() => new FenceListener(_signals), log);
        var owner = new LogChunkOwner(kafka, session);
        _sink = new(
            () => new ChunkSink(entities, options, new WriterFactory(entities, new EngineKnowledge(entities), log), owner, new LoadGate()),
            log
        );
        _deadLetters = new DeadLetters(entities, topicOf, kafka, _desk, log);
        ChunkSink = new LogChunkSink(_desk, _sink);
        ChunkQueue = new PatientChunkQueue(_chunks, tables.Barrier);
        Fences = new PatientFenceQueue(_fences, _signals);
    }

    public int Generation { get; }

    /// <summary>Its number in the engine, which fences are bound to. The log counts its sessions itself.</summary>
    public long Session { get; }

    public ITableRegistry Tables => _tables;

    public IChunkQueue ChunkQueue { get; }

    public IChunkSink ChunkSink { get; }

    public IFenceQueue Fences { get; }

    /// <exception cref="FencedException">A generation has begun, or a gap was declared, meanwhile.</exception>
    /// <exception cref="CdcException">A topic has another number of partitions than before.</exception>
    public static Task<LogDesk> OpenAsync(
        EngineOptions options,
        EntitySet entities,
        KafkaLogSession kafka,
        Func<EntityDeclaration, string> topicOf,
        ILogger log,
        CancellationToken ct
    ) =>
        EngineErrors.GuardAsync(async () =>
        {
            await using var connection = await EngineConnection
                .OpenAsync(options with { SynchronousCommit = true }, "capture", ct)
                .ConfigureAwait(false);
            await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
            var (session, generation) = await BeginSessionAsync(connection, ct).ConfigureAwait(false);
            await PreparePartitionsAsync(connection, kafka, ct).ConfigureAwait(false);
            var tables = new TableStates(entities);
            await tables.LoadAsync(connection, ct).ConfigureAwait(false);
            await transaction.CommitAsync(ct).ConfigureAwait(false);
            return new LogDesk(options, entities, kafka, topicOf, tables, generation, session, log);
        });

    /// <summary>Until it is cancelled: hears of fences, writes down how far everything is in the log, and shows quarantined rows in it.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await TaskGroup
            .RunAsync(ended, ListenAsync(ended.Token), AnnounceAsync(ended.Token), _deadLetters.RunAsync(ended.Token))
            .ConfigureAwait(false);
    }

    public Task FenceAsync(FenceChange fence, IReadOnlyDictionary<string, long> vector, CancellationToken ct) =>
        _desk.TryAsync(
            desk =>
                desk.UseAsync(
                    async connection =>
                    {
                        // Where the engine is away the fence ends by itself: nobody can compare there.
                        await using var command = new NpgsqlCommand(LogSql.Fence, connection)
                        {
                            Parameters =
                            {
                                new() { Value = fence.Fence },
                                new() { Value = Session },
                                Statements.Parameter(fence.Marker),
                                new() { Value = fence.InFlight.ToArray() },
                                new() { Value = fence.InFlightAll },
                                new() { Value = LogVector.ToJson(vector) },
                            },
                        };
                        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
                        return true;
                    },
                    ct
                ),
            false,
            ct
        );

    public Task TableStateAsync(TableStateChange change, CancellationToken ct) =>
        _desk.InsistAsync(
            desk =>
                desk.UseAsync(
                    async connection =>
                    {
                        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
                        await _tables.ChangeAsync(connection, change, ct).ConfigureAwait(false);
                        await transaction.CommitAsync(ct).ConfigureAwait(false);
                        return change;
                    },
                    ct
                ),
            ct
        );

    public async ValueTask DisposeAsync()
    {
        await _sink.DisposeAsync().ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
        await _fences.DisposeAsync().ConfigureAwait(false);
        await _chunks.DisposeAsync().ConfigureAwait(false);
        await _desk.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<(long Session, int Generation)> BeginSessionAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        long session;
        int generation;
        await using (var command = new NpgsqlCommand(LogSql.BeginSession, connection))
        await using (var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await reader.ReadAsync(ct).ConfigureAwait(false))
                throw new FencedException("A new generation began, or a gap was declared, while this session was starting.");
            (session, generation) = (reader.GetInt64(0), reader.GetInt32(1));
        }
        await using var fences = new NpgsqlCommand(FenceSql.BreakOlderSessions, connection) { Parameters = { new() { Value = session } } };
        await fences.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return (session, generation);
    }

    private static async Task PreparePartitionsAsync(NpgsqlConnection connection, KafkaLogSession kafka, CancellationToken ct)
    {
        string[] names = [.. kafka.Ends.Keys];
        long[] ends = [.. kafka.Ends.Values];
        foreach (var sql in (string[])[LogSql.BeginGeneration, LogSql.AddPartitions])
        {
            if (sql == LogSql.AddPartitions)
                await PartitionTable.RequireCountsAsync(connection, kafka.Topics, ct).ConfigureAwait(false);
            await using var command = new NpgsqlCommand(sql, connection)
            {
                Parameters =
                {
                    new() { Value = names },
                    new() { Value = ends },
                },
            };
            await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
        await using var forget = new NpgsqlCommand(LogSql.ForgetPartitions, connection) { Parameters = { new() { Value = names } } };
        await forget.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        while (true)
            await _listener.TryAsync(listener => listener.RunAsync(ct), true, ct).ConfigureAwait(false);
    }

    private async Task AnnounceAsync(CancellationToken ct)
    {
        var announced = Lsn.Zero;
        using var timer = new PeriodicTimer(Beat);
        while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false))
        {
            var progress = _log.Acknowledged;
            var vector = _log.Vector();
            if (
                await _desk
                    .TryAsync(
                        desk =>
                            desk.UseAsync(
                                connection => AnnounceAsync(connection, progress.Through > announced ? progress : null, vector, ct),
                                ct
                            ),
                        false,
                        ct
                    )
                    .ConfigureAwait(false)
            )
                announced = progress.Through;
        }
    }

    /// <param name="progress">Null: nothing new; only whether the session is still the one.</param>
    private async Task<bool> AnnounceAsync(
        NpgsqlConnection connection,
        LogProgress? progress,
        IReadOnlyDictionary<string, long> vector,
        CancellationToken ct
    )
    {
        await using (var session = new NpgsqlCommand(LogSql.Session, connection) { Parameters = { new() { Value = Session } } })
        {
            await session.PrepareAsync(ct).ConfigureAwait(false);
            await using var reader = await session.ExecuteReaderAsync(ct).ConfigureAwait(false);
            if (!await reader.ReadAsync(ct).ConfigureAwait(false))
                throw new FencedException($"Session {Session} is not the one that follows the source any more.");
            if (reader.GetString(0) == "gap")
                throw new DeclaredGapException(
                    reader.IsDBNull(1) ? "unknown" : reader.GetString(1),
                    reader.IsDBNull(2) ? "A gap was declared." : reader.GetString(2),
                    "Accept it and read everything again with 'cdc slot reset' (ops/runbooks/slot-reset.md)."
                );
        }
        if (progress is null)
            return true;
        await using var command = new NpgsqlCommand(LogSql.Through, connection)
        {
            Parameters =
            {
                new() { Value = Generation },
                Statements.Parameter(progress.Through),
                new() { Value = LogVector.ToJson(vector), NpgsqlDbType = NpgsqlDbType.Text },
                new()
                {
                    Value = progress.AsOfMicros is { } micros ? PostgresTime.FromMicros(micros) : DBNull.Value,
                    NpgsqlDbType = NpgsqlDbType.TimestampTz,
                },
            },
        };
        await command.PrepareAsync(ct).ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return true;
    }

    /// <summary>Has nothing to dispose: its connection lives as long as its run.</summary>
    private sealed class FenceListener(FenceSignals signals) : IAsyncDisposable
    {
        public Task<bool> RunAsync(CancellationToken ct) =>
            EngineErrors.GuardAsync(async () =>
            {
                await signals.RunAsync(ct).ConfigureAwait(false);
                return true;
            });

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
