using Cdc.Capture.Slot;
using Cdc.Capture.Snapshot;
using Cdc.Capture.Source;
using Cdc.Capture.Tables;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Capture;

/// <summary>
/// Asks <see cref="TableJudge"/> about the declared tables every second heartbeat, because much that changes rows, or keeps them from coming,
/// sends no event. A table that cannot be followed stops; one that can again, or that changed unseen, is read again; one that left the
/// publication is published again first.
/// </summary>
internal sealed class TableWatch(
    SourceOptions options,
    EntitySet entities,
    MarkerWriter markers,
    ITableRegistry registry,
    CaptureLoop stream,
    ILogger log
)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);

    private readonly SlotSetup _setup = new(options, entities);
    private readonly TableStanding[] _standings = [.. entities.All.Select(_ => new TableStanding())];
    private readonly Task[] _posted = [.. Enumerable.Repeat(Task.CompletedTask, entities.Count)];

    public async Task RunAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        using var timer = new PeriodicTimer(Interval);
        do await LookAsync(connection, ct);
        while (await timer.WaitForNextTickAsync(ct));
    }

    private TimeSpan Interval => TimeSpan.FromTicks(Math.Clamp(2 * options.HeartbeatInterval.Ticks, Shortest.Ticks, Longest.Ticks));

    /// <summary>Every table's fingerprint now, for a registry that knows nothing yet.</summary>
    public static async Task<IReadOnlyList<(TableFingerprint? Fingerprint, long EstimatedRows)>> ReadAsync(
        SourceOptions options,
        EntitySet entities,
        ulong barrier,
        CancellationToken ct
    )
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        var catalog = await CatalogReader.ReadAsync(connection, options.Publication, entities.All, ct);
        List<(TableFingerprint?, long)> read = [];
        foreach (var (entity, table) in catalog.Tables)
            read.Add(
                table is null
                    ? (null, 0)
                    : (TableFingerprints.Of(entity, table, barrier), await TableEstimate.ReadAsync(connection, entity, table, ct))
            );
        return read;
    }

    private async Task LookAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        bool[] stoppedBefore = [.. entities.All.Select(e => registry.IsStopped(e.Index))];
        var catalog = await CatalogReader.ReadAsync(connection, options.Publication, entities.All, ct);
        if (await PublishAsync(connection, catalog, ct))
            catalog = await CatalogReader.ReadAsync(connection, options.Publication, entities.All, ct);
        var publication = Required(catalog.Publication, options.Publication);
        // In this order: a transaction at or above the barrier has written after the catalog was what it was seen to be.
        var barrier = (await markers.SnapshotAboveWritersAsync(ct)).Xmax;
        var seenAt = await markers.CurrentWalLsnAsync(ct);
        foreach (var (entity, table) in catalog.Tables)
            // What the stream has stopped meanwhile may have been seen as it was before: the next look judges it.
            if (stoppedBefore[entity.Index] || !registry.IsStopped(entity.Index))
                Act(entity, SightingOf(entity, table, publication, barrier), seenAt);
    }

    private static TableSighting SightingOf(EntityDeclaration entity, CatalogTable? table, CatalogPublication publication, ulong barrier)
    {
        var obstacles = TableJudge.Judge(entity, table, publication);
        return obstacles.Count > 0
            ? new TableSighting(Obstacles.Reason(obstacles), null, "")
            : new TableSighting(null, TableFingerprints.Of(entity, table!, barrier), $"{table!.Entry}/{table.Bearing}/{table.Version}");
    }

    /// <summary>
    /// The registry is the truth, because the stream changes it too; but only when it has what was posted last, or it would be posted
    /// twice.
    /// </summary>
    private void Act(EntityDeclaration entity, TableSighting now, Lsn seenAt)
    {
        var index = entity.Index;
        if (!_posted[index].IsCompleted)
            return;
        var stopped = registry.IsStopped(index);
        switch (_standings[index].Next(stopped, registry.Fingerprints[index], now))
        {
            case TableStep.Stop:
                _posted[index] = stream.ChangeTable(index, now.StopReason, null, seenAt);
                break;
            case TableStep.ReadAgain:
                CaptureLog.TableReadAgain(log, entity.SourceName);
                _posted[index] = stream.ChangeTable(index, null, now.Fingerprint, seenAt);
                break;
            case TableStep.StayStopped:
                CaptureLog.TableStaysStopped(log, entity.SourceName);
                break;
        }
    }

    private static CatalogPublication Required(CatalogPublication? publication, string name)
    {
        if (publication is null)
            throw new DeclaredGapException(
                GapKinds.PublicationMissing,
                $"Publication {name} was dropped while its slot was followed: changes from then on cannot be decoded.",
                "Run 'cdc slot reset': it creates the publication and a new slot and reads everything again (ops/runbooks/slot-reset.md)."
            );
        if (!publication.IsWhole)
            throw new DeclaredGapException(
                GapKinds.PublicationPartial,
                $"Publication {name} no longer publishes every operation: changes were left out.",
                $"Run: {SlotSql.PublishEverything(name)} then 'cdc slot reset' (ops/runbooks/slot-reset.md)."
            );
        return publication;
    }

    /// <summary>False where nothing had to be published, or the server refused it: the judge says then what is missing.</summary>
    private async Task<bool> PublishAsync(NpgsqlConnection connection, SourceCatalog catalog, CancellationToken ct)
    {
        try
        {
            return await _setup.ExtendAsync(connection, catalog, ct) is not null;
        }
        catch (PostgresException e) when (SqlStates.IsRefusal(e.SqlState))
        {
            CaptureLog.NotPublished(log, options.Publication, e.MessageText);
            return false;
        }
    }
}
