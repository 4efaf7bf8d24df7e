using Cdc.Capture.Fences;
using Cdc.Capture.Slot;
using Cdc.Capture.Snapshot;
using Cdc.Capture.Source;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Cdc.Core.Telemetry;
using Cdc.Log;
using Microsoft.Extensions.Logging;

namespace Cdc.Capture;

/// <summary>What the engine's side gives to Capture for one session.</summary>
public sealed record CaptureSeams(
    ResumePoint Resume,
    ITableRegistry Tables,
    IAppliedProgress Progress,
    IChunkQueue ChunkQueue,
    IChunkSink ChunkSink,
    IFenceQueue Fences,
    IChangeLogWriter Log,
    PipelineStatistics Statistics
);

/// <summary>
/// The source's side of one session: holds the slot, streams, reads chunks, confirms. Nothing in it survives a failure.
/// </summary>
public sealed class CaptureSession : IAsyncDisposable
{
    private static readonly TimeSpan SlotPoll = TimeSpan.FromMilliseconds(20);

    private SourceOptions _options;
    private readonly SnapshotOptions _snapshot;
    private readonly EntitySet _entities;
    private readonly ReplicationSource _source;
    private readonly ILogger _log;
    private Lsn _confirmedAtStart;

    private CaptureSession(SourceOptions options, SnapshotOptions snapshot, EntitySet entities, ReplicationSource source, ILogger log) =>
        (_options, _snapshot, _entities, _source, _log) = (options, snapshot, entities, source, log);

    /// <summary>Connects to the source's primary, and stays with it; the slot is not touched yet.</summary>
    public static async Task<CaptureSession> ConnectAsync(
        SourceOptions options,
        SnapshotOptions snapshot,
        EntitySet entities,
        ILogger log,
        CancellationToken ct
    )
    {
        var primary = await SourceConnection.OnPrimaryAsync(options, ct);
        return new CaptureSession(primary, snapshot, entities, await ReplicationSource.ConnectAsync(primary, log, ct), log);
    }

    /// <summary>Which server and database the options lead to.</summary>
    public static async Task<IdentifiedSource> IdentifyAsync(SourceOptions options, ILogger log, CancellationToken ct)
    {
        var primary = await SourceConnection.OnPrimaryAsync(options, ct);
        await using var source = await ReplicationSource.ConnectAsync(primary, log, ct);
        return await source.IdentifyAsync(ct);
    }

    public async Task<IdentifiedSource> IdentifyAsync(CancellationToken ct)
    {
        var found = await _source.IdentifyAsync(ct);
        _options = _options with { Identity = found.Identity };
        return found;
    }

    /// <summary>Where the source's timeline left the one that was followed; null if it never was on it.</summary>
    public Task<Lsn?> SwitchPointAsync(int current, int followed, CancellationToken ct) => _source.SwitchPointAsync(current, followed, ct);

    /// <summary>What a failure of the source means: typed, with its remedy; null if the source has nothing to do with it.</summary>
    public static Task<CdcException?> ExplainAsync(SourceOptions options, Exception exception, CancellationToken ct) =>
        StreamDiagnosis.ExplainAsync(options, exception, ct);

    /// <summary>The tables' fingerprints now, for an engine that knows nothing of them yet.</summary>
    public static Task<IReadOnlyList<(TableFingerprint? Fingerprint, long EstimatedRows)>> ReadTablesAsync(
        SourceOptions options,
        EntitySet entities,
        CancellationToken ct
    ) => TableWatch.ReadAsync(options, entities, 0, ct);

    /// <summary>Starts the stream and returns when the slot is this session's.</summary>
    /// <exception cref="Npgsql.PostgresException">55006: another process holds it.</exception>
    public async Task AcquireSlotAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(_options, ct);
        await _source.StartAsync(Lsn.Zero, ct);
        while (true)
        {
            await _source.ThrowIfRefusedAsync();
            // A stream may end in an error right after its first message: then the slot was ours, and the next read gets the error.
            var hasBegun = _source.HasBegun;
            var slot = await SlotSetup.ReadAsync(connection, _options.SlotName, ct);
            if (hasBegun || slot?.ActivePid == _source.WalSenderPid)
            {
                // Not before it is ours: its previous owner may have confirmed more until the end.
                _confirmedAtStart = slot?.ConfirmedFlushLsn ?? Lsn.Zero;
                CaptureLog.StreamStarted(_log, _options.SlotName, _confirmedAtStart, _source.GathersPackets);
                return;
            }
            await Task.Delay(SlotPoll, ct);
        }
    }

    /// <summary>Runs until <paramref name="stop"/>, or until anything fails; the first failure is thrown.</summary>
    public async Task RunAsync(CaptureSeams seams, TimeSpan feedbackInterval, CancellationToken stop, CancellationToken ct)
    {
        await using var markers = await MarkerWriter.OpenAsync(_options, ct);
        var atStart = await markers.SnapshotAboveWritersAsync(ct);
        var xids = new XidClock(atStart.Xmax);
        var ledger = new ChunkLedger(_options.RememberedKeys);
        var stopped = _entities.All.Where(e => seams.Tables.IsStopped(e.Index)).Select(e => e.Index);
        // As the tables were when they were read last: a change of that has them read again.
        var deferred = _entities.All.Where(e => seams.Tables.Fingerprints[e.Index] is { HasDeferredKey: true }).Select(e => e.Index);
        var relations = new RelationMap(_entities, stopped, entity => seams.Tables.Fingerprints[entity]?.BarrierXid ?? 0);
        var mapper = new PgOutputMapper(relations, seams.Resume.Generation, xids, new DeferredKeys(deferred));
        var redelivery = new RedeliveryCheck(seams.Resume, _confirmedAtStart, _options.SlotName);
        var stream = new CaptureLoop(seams.Resume.Generation, mapper, ledger, seams.ChunkSink, redelivery, seams.Log);
        var barrier = new ReadBarrier(atStart.Xmax, seams.ChunkQueue, ledger, markers);
        var place = new StreamPlacement(ledger, barrier, stream, markers);
        var chunks = new SnapshotLoop(_options, _snapshot, _entities, place, seams, _log);
        var fences = new FenceLoop(_entities, place, seams.Tables, seams.Fences, _log);
        var watch = new TableWatch(_options, _entities, markers, seams.Tables, stream, _log);

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var streaming = stream.RunAsync(_source, stop, ended.Token);
        Task[] all =
        [
            streaming,
            new HeartbeatLoop(_options, markers, ledger, xids).RunAsync(ended.Token),
            new FeedbackLoop(feedbackInterval, seams.Progress, _source).RunAsync(ended.Token),
            chunks.RunAsync(ended.Token),
            fences.RunAsync(ended.Token),
            watch.RunAsync(ended.Token),
        ];
        await TaskGroup.RunAsync(ended, all);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
