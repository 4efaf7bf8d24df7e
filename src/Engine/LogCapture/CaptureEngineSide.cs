using System.Runtime.CompilerServices;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Cdc.Engine.Fences;
using Cdc.Engine.Rows;
using Cdc.Engine.Snapshots;
using Cdc.Engine.Tables;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Engine.LogCapture;

/// <summary>
/// The engine's side of one capture session over Kafka: what is to be read, which fences are requested, and what Capture reports to
/// Apply besides the records (<see cref="ILogBoard"/>). The engine must be reachable when the session begins; later it may be unreachable.
/// </summary>
public sealed class CaptureEngineSide : ILogBoard, IAsyncDisposable
{
    private static readonly TimeSpan AnnounceInterval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);
    private const int KeysOfOnePage = 5_000;

    private readonly EntitySet _entities;
    private readonly ILogger _logger;

    private readonly ILogSession _log;
    private readonly TableRegistry _tables;
    private readonly FenceSignals _signals;
    private readonly SharedConnection _connection;
    private readonly ChunkQueue _chunks;
    private readonly FenceQueue _fences;
    private readonly LogChunkSink _sink;
    private readonly EngineOutage _outage;

    private CaptureEngineSide(
        EngineOptions options,
        EntitySet entities,
        ILogSession logSession,
        TableRegistry tables,
        (long Session, int Generation) begun,
        ILogger log
    )
    {
        (_log, _tables, _entities, _logger) = (logSession, tables, entities, log);
        (Session, Generation) = begun;
        _outage = new EngineOutage(log);
        _signals = new FenceSignals(options);
        _connection = new SharedConnection(Flushed(options), EngineRole.Capture);
        _chunks = new ChunkQueue(entities, options, tables, Generation, owes: true);
        _fences = new FenceQueue(entities, options, _signals, Generation, Session);
        var finisher = new ChunkFinisher(entities, options.DeleteLimit, new LogChunkOwner(Session, logSession.Number), owes: true);
        _sink = new LogChunkSink(_connection, options, finisher, _outage);
        ChunkQueue = new OutageTolerantChunkQueue(_chunks, _outage);
        Fences = new OutageTolerantFenceQueue(_fences, _outage);
    }

    public int Generation { get; }

    /// <summary>Its number in the engine, which fences are bound to. The log counts its sessions itself.</summary>
    public long Session { get; }

    public ITableRegistry Tables => _tables;

    public IChunkQueue ChunkQueue { get; }

    public IChunkSink ChunkSink => _sink;

    public IFenceQueue Fences { get; }

    /// <exception cref="FencedException">A generation has begun, or a gap was declared, meanwhile.</exception>
    /// <exception cref="CdcException">A topic has another number of partitions than before.</exception>
    public static Task<CaptureEngineSide> OpenAsync(
        EngineOptions options,
        EntitySet entities,
        ILogSession logSession,
        ILogger log,
        CancellationToken ct
    ) =>
        EngineErrors.GuardAsync(async () =>
        {
            await using var connection = await EngineConnection.OpenAsync(Flushed(options), EngineRole.Capture, ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            var begun = await SourceTable.BeginSessionAsync(connection, ct);
            await PartitionTable.PrepareAsync(connection, logSession.Extents, logSession.RequireCounts, ct);
            var tables = new TableRegistry(entities, log);
            await tables.LoadAsync(connection, ct);
            await transaction.CommitAsync(ct);
            return new CaptureEngineSide(options, entities, logSession, tables, begun, log);
        });

    /// <summary>Until it is cancelled: listens for fences, and writes down how far everything is in the log.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await TaskGroup.RunAsync(ended, ListenAsync(ended.Token), AnnounceAsync(ended.Token));
    }

    /// <summary>While the engine is unreachable the fence ends by itself: no process can compare there.</summary>
    public Task FenceAsync(FenceChange fence, IReadOnlyDictionary<string, long> vector, CancellationToken ct) =>
        _outage.OrLeaveOutAsync(() => _connection.UseAsync(c => FenceTable.SetVectorAsync(c, fence, Session, vector, ct), ct), ct);

    public Task TableStateAsync(TableStateChange change, CancellationToken ct) =>
        _outage.RetryUntilAvailableAsync(() => _connection.UseAsync(c => ChangeTableAsync(c, change, ct), ct), ct);

    public async IAsyncEnumerable<IReadOnlyList<KnownKey>> KeysAsync(
        IReadOnlyList<int> entities,
        IReadOnlyDictionary<string, long> vector,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        EntityDeclaration[] readers = [.. entities.Select(e => _entities[e])];
        await AppliedAsync(readers[0], vector, ct);
        var after = long.MinValue;
        while (await PageAsync() is [.., var last] keys)
        {
            yield return keys;
            after = last.Number;
        }

        Task<List<KnownKey>> PageAsync() =>
            _outage.RetryUntilAvailableAsync(
                () => _connection.UseAsync(c => KnownKeys.PageAsync(c, readers, after, KeysOfOnePage, ct), ct),
                ct
            );
    }

    /// <summary>Rows of the quarantine that are not shown in their topics yet; none while the engine is unreachable.</summary>
    public Task<IReadOnlyList<UnpublishedRow>> UnpublishedAsync(CancellationToken ct) =>
        _outage.OrElseAsync(() => _connection.UseAsync(c => QuarantineTable.UnpublishedAsync(c, ct), ct), [], ct);

    /// <summary>They are shown there. If the engine is unreachable they are shown again later.</summary>
    public Task SetPublishedAsync(IReadOnlyList<UnpublishedRow> rows, CancellationToken ct) =>
        _outage.OrLeaveOutAsync(() => _connection.UseAsync(c => QuarantineTable.SetPublishedAsync(c, rows, ct), ct), ct);

    public async ValueTask DisposeAsync()
    {
        await _sink.DisposeAsync();
        await _fences.DisposeAsync();
        await _chunks.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private async Task AppliedAsync(EntityDeclaration entity, IReadOnlyDictionary<string, long> vector, CancellationToken ct)
    {
        for (var isFirst = true; !await HasAppliedAsync(vector, ct); isFirst = false)
        {
            if (isFirst)
                EngineOutageLog.TruncateWaits(_logger, entity.SourceName);
            await Task.Delay(PollInterval, ct);
        }
    }

    private Task<bool> HasAppliedAsync(IReadOnlyDictionary<string, long> vector, CancellationToken ct) =>
        _outage.OrElseAsync(() => _connection.UseAsync(c => PartitionTable.HavePassedAsync(c, vector, ct), ct), false, ct);

    private static EngineOptions Flushed(EngineOptions options) => options with { SynchronousCommit = true };

    private async Task ChangeTableAsync(NpgsqlConnection connection, TableStateChange change, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await _tables.ChangeAsync(connection, change, ct);
        await transaction.CommitAsync(ct);
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        while (true)
            await _outage.OrLeaveOutAsync(() => EngineErrors.GuardAsync(() => _signals.RunAsync(ct)), ct);
    }

    private async Task AnnounceAsync(CancellationToken ct)
    {
        var announced = Lsn.Zero;
        using var timer = new PeriodicTimer(AnnounceInterval);
        while (await timer.WaitForNextTickAsync(ct))
        {
            var progress = _log.Acknowledged;
            var vector = _log.Vector();
            var isNew = progress.Through > announced;
            if (
                await _outage.OrElseAsync(
                    () => _connection.UseAsync(c => AnnounceAsync(c, isNew ? progress : null, vector, ct), ct),
                    false,
                    ct
                )
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
        await SourceTable.RequireSessionAsync(connection, Session, ct);
        if (progress is not null)
            await LogThroughTable.AddAsync(connection, Generation, progress, vector, ct);
        return true;
    }
}
