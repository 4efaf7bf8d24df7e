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
using Cdc.Engine.Tables;
using Cdc.Log;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Apply;

/// <summary>
/// The engine's side of one session: takes the engine over (the previous owner fails at its next commit), knows where to go on, applies the
/// log, and loads chunks. Nothing in it survives a failure; the next session reads the engine again.
/// </summary>
public sealed class EngineSession : IAsyncDisposable
{
    private readonly EngineOptions _options;
    private readonly NpgsqlConnection _connection;
    private readonly ApplyLoop _loop;
    private readonly EngineTableWatch _watch;
    private readonly LoadGate _gate = new();
    private readonly AppliedProgress _progress;
    private readonly ChunkQueue _chunkQueue;
    private readonly ChunkSink _chunkSink;
    private readonly FenceSignals _signals;
    private readonly FenceQueue _fences;

    private EngineSession(EngineOptions options, EngineTableWatch watch, Takeover engine, PipelineStatistics statistics)
    {
        var entities = watch.Entities;
        var (connection, session, checkpoint, tables, writers, writer) = engine;
        var start = checkpoint.Committed;
        var generation = start.Last.Generation;
        Resume = new ResumePoint(
            generation,
            session,
            start.Through,
            start.Last,
            start.LastTransaction?.Xid ?? 0,
            start.LastTransaction?.CommitMicros ?? 0
        );
        (_options, _watch, _connection, Tables) = (options, watch, connection, tables);
        _signals = new FenceSignals(options);
        _progress = new AppliedProgress(options, checkpoint, session);
        _chunkQueue = new ChunkQueue(entities, options, tables, generation, owes: false);
        _chunkSink = new ChunkSink(
            options,
            writers,
            new ChunkFinisher(entities, options.DeleteLimit, checkpoint, owes: false),
            checkpoint,
            _gate
        );
        _fences = new FenceQueue(entities, options, _signals, generation, session);
        var batches = new WriteBehind(writer, _gate, statistics);
        var hold = new FenceHold(options, _signals, session, statistics);
        _loop = new ApplyLoop(options, batches, checkpoint, tables, hold, statistics);
    }

    public ResumePoint Resume { get; }

    public ITableRegistry Tables { get; }

    public IAppliedProgress Progress => _progress;

    public IChunkQueue ChunkQueue => _chunkQueue;

    public IChunkSink ChunkSink => _chunkSink;

    public IFenceQueue Fences => _fences;

    /// <param name="watch">The pipeline's, for all of its sessions.</param>
    /// <exception cref="EngineException">The engine cannot be reached, or is not set up.</exception>
    public static Task<EngineSession> OpenAsync(
        EngineOptions options,
        EngineTableWatch watch,
        PipelineStatistics statistics,
        ILogger log,
        CancellationToken ct
    ) =>
        EngineErrors.GuardAsync(async () =>
        {
            var primary = await EngineConnection.OnPrimaryAsync(options, ct);
            var connection = await EngineConnection.OpenAsync(primary, EngineRole.Apply, ct);
            try
            {
                return new EngineSession(primary, watch, await TakeOverAsync(connection, watch.Entities, log, ct), statistics);
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        });

    /// <summary>The engine as this session found it when it took it over.</summary>
    private sealed record Takeover(
        NpgsqlConnection Connection,
        long Session,
        CheckpointTable Checkpoint,
        TableRegistry Tables,
        WriterFactory Writers,
        BatchWriter Writer
    );

    private static async Task<Takeover> TakeOverAsync(NpgsqlConnection connection, EntitySet entities, ILogger log, CancellationToken ct)
    {
        await EngineRoles.EndEarlierSessionsAsync(connection, ct);
        var (session, _) = await SourceTable.BeginSessionAsync(connection, ct);
        var checkpoint = new CheckpointTable(Guid.NewGuid());
        await checkpoint.TakeAsync(connection, ct);
        var tables = new TableRegistry(entities, log);
        await tables.LoadAsync(connection, ct);
        var knowledge = new EngineKnowledge(entities);
        await knowledge.RefreshAsync(connection, ct);
        var writers = new WriterFactory(entities, knowledge, log);
        var writer = await writers.CreateAsync(connection, ct);
        return new Takeover(connection, session, checkpoint, tables, writers, writer);
    }

    /// <summary>Applies until the log is closed and read to its end.</summary>
    /// <exception cref="PausedException">The source is to be let go of.</exception>
    public async Task RunAsync(IChangeLogReader log, CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var applying = EngineErrors.GuardAsync(() => _loop.RunAsync(log, ended.Token));
        var pulse = EngineErrors.GuardAsync(() => EnginePulse.RunUntilPausedAsync(_options, _watch, ended.Token));
        var listening = EngineErrors.GuardAsync(() => _signals.RunAsync(ended.Token));
        await TaskGroup.RunAsync(ended, applying, pulse, listening);
    }

    /// <summary>
    /// Capture has ended. A chunk whose range it reserved may never be loaded: the stream must not wait for it while it drains.
    /// </summary>
    public void CaptureEnded() => _gate.ReleaseAll();

    public async ValueTask DisposeAsync()
    {
        await _chunkSink.DisposeAsync();
        await _fences.DisposeAsync();
        await _chunkQueue.DisposeAsync();
        await _progress.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
