using Cdc.Apply.Fences;
using Cdc.Apply.Rows;
using Cdc.Apply.Snapshots;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Fences;
using Cdc.Engine.Progress;
using Cdc.Engine.Snapshots;
using Cdc.Log;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Apply;

/// <summary>
/// The engine's side of one session: takes the engine over (whoever had it fails at its next commit), knows where to go on, applies the log,
/// and loads chunks. Nothing in it survives a failure; the next session reads the engine again.
/// </summary>
public sealed class EngineSession : IAsyncDisposable
{
    private const string EndEarlierSql = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
            AND application_name IN ('cdc apply', 'cdc load', 'cdc feedback', 'cdc chunks', 'cdc fences', 'cdc pulse')
        """;

    private readonly EngineOptions _options;
    private readonly NpgsqlConnection _connection;
    private readonly ApplyLoop _loop;
    private readonly LoadGate _gate;
    private readonly AppliedProgress _progress;
    private readonly ChunkTable _chunkTable;
    private readonly ChunkSink _chunkSink;
    private readonly FenceSignals _signals;
    private readonly FenceTable _fences;

    private EngineSession(
        EngineOptions options,
        NpgsqlConnection connection,
        ResumePoint resume,
        ITableRegistry tables,
        ApplyLoop loop,
        LoadGate gate,
        AppliedProgress progress,
        ChunkTable chunkTable,
        ChunkSink chunkSink,
        FenceSignals signals,
        FenceTable fences
    )
    {
        (_options, _connection, Resume, Tables, _loop, _gate, _progress) = (options, connection, resume, tables, loop, gate, progress);
        (_chunkTable, _chunkSink, _signals, _fences) = (chunkTable, chunkSink, signals, fences);
    }

    public ResumePoint Resume { get; }

    public ITableRegistry Tables { get; }

    public IAppliedProgress Progress => _progress;

    public IChunkQueue ChunkQueue => _chunkTable;

    public IChunkSink ChunkSink => _chunkSink;

    public IFenceQueue Fences => _fences;

    /// <exception cref="EngineException">The engine cannot be reached, or is not set up.</exception>
    public static Task<EngineSession> OpenAsync(
        EngineOptions options,
        EntitySet entities,
        PipelineStatistics statistics,
        ILogger log,
        CancellationToken ct
    ) => EngineErrors.GuardAsync(() => TakeOverAsync(options, entities, statistics, log, ct));

    private static async Task<EngineSession> TakeOverAsync(
        EngineOptions options,
        EntitySet entities,
        PipelineStatistics statistics,
        ILogger log,
        CancellationToken ct
    )
    {
        var connection = await EngineConnection.OpenAsync(options, "apply", ct).ConfigureAwait(false);
        try
        {
            return await OpenAsync(connection, options, entities, statistics, log, ct).ConfigureAwait(false);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<EngineSession> OpenAsync(
        NpgsqlConnection connection,
        EngineOptions options,
        EntitySet entities,
        PipelineStatistics statistics,
        ILogger log,
        CancellationToken ct
    )
    {
        await EndEarlierAsync(connection, ct).ConfigureAwait(false);
        var session = await BeginSessionAsync(connection, ct).ConfigureAwait(false);
        var checkpoints = new CheckpointTable(Guid.NewGuid());
        var start = await checkpoints.TakeAsync(connection, ct).ConfigureAwait(false);
        var tables = new TableStates(entities);
        await tables.LoadAsync(connection, ct).ConfigureAwait(false);
        var knowledge = new EngineKnowledge(entities);
        await knowledge.RefreshAsync(connection, ct).ConfigureAwait(false);
        var factory = new WriterFactory(entities, knowledge, log);
        var transaction = new EngineTransaction(connection);
        var writer = new BatchWriter(entities, await factory.CreateAsync(connection, ct).ConfigureAwait(false), transaction);
        var gate = new LoadGate();
        var signals = new FenceSignals(options);
        var hold = new FenceHold(options, signals, session, statistics);
        var progress = new AppliedProgress(options, start, session);
        var loop = new ApplyLoop(
            entities,
            options,
            connection,
            transaction,
            writer,
            checkpoints,
            start,
            tables,
            gate,
            hold,
            progress,
            statistics
        );
        var resume = new ResumePoint(
            start.Last.Generation,
            session,
            start.Through,
            start.Last,
            start.LastTransaction?.Xid ?? 0,
            start.LastTransaction?.CommitMicros ?? 0
        );
        return new EngineSession(
            options,
            connection,
            resume,
            tables,
            loop,
            gate,
            progress,
            new ChunkTable(entities, options, tables, start.Last.Generation),
            new ChunkSink(entities, options, factory, checkpoints, gate),
            signals,
            new FenceTable(entities, options, signals, start.Last.Generation, session)
        );
    }

    /// <summary>Applies until the log is closed and read to its end.</summary>
    public async Task RunAsync(IChangeLogReader log, CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var applying = EngineErrors.GuardAsync(() => _loop.RunAsync(log, ended.Token));
        var pulse = EngineErrors.GuardAsync(() => EnginePulse.RunAsync(_options, ended.Token));
        var listening = EngineErrors.GuardAsync(() => _signals.RunAsync(ended.Token));
        await TaskGroup.RunAsync(ended, applying, pulse, listening).ConfigureAwait(false);
    }

    /// <summary>Capture has ended. A chunk whose range it reserved may never be loaded: the stream must not wait for it while it drains.</summary>
    public void CaptureEnded() => _gate.ReleaseAll();

    public async ValueTask DisposeAsync()
    {
        await _chunkSink.DisposeAsync().ConfigureAwait(false);
        await _fences.DisposeAsync().ConfigureAwait(false);
        await _chunkTable.DisposeAsync().ConfigureAwait(false);
        await _progress.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// The slot is ours, so what is left of earlier sessions is of nobody. One whose client vanished without a word (its machine or the
    /// network died) would keep its locks, the checkpoint's among them, for hours.
    /// </summary>
    private static async Task EndEarlierAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(EndEarlierSql, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static async Task<long> BeginSessionAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // A reset that began after this session had looked has no checkpoint to go on from yet.
        await using var command = new NpgsqlCommand(
            "UPDATE cdc.source SET session = session + 1, updated_at = now() WHERE state = 'streaming' RETURNING session",
            connection
        );
        var session =
            await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as long?
            ?? throw new FencedException("A new generation began, or a gap was declared, while this session was starting.");
        await using var fences = new NpgsqlCommand(FenceSql.BreakOlderSessions, connection) { Parameters = { new() { Value = session } } };
        await fences.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return session;
    }
}
