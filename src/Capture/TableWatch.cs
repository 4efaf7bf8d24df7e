using System.Globalization;
using Cdc.Capture.Slot;
using Cdc.Capture.Snapshot;
using Cdc.Capture.Source;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Capture;

/// <summary>
/// Reads the declared tables from the source's catalog, because much that changes rows sends no event. A table that cannot be read as
/// declared stops; one that changed unseen is read again; one that left the publication is published again first.
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
    private const string MembershipSql = """
        SELECT p.oid, p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate, r.prrelid, r.oid
        FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid WHERE p.pubname = $1
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly SlotSetup _setup = new(options, entities);
    private readonly Task[] _posted = [.. Enumerable.Repeat(Task.CompletedTask, entities.Count)];

    public async Task RunAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        using var timer = new PeriodicTimer(Interval);
        do
        {
            foreach (var (entity, state) in await ReadStatesAsync(connection, ct))
                Compare(entity, state);
        } while (await timer.WaitForNextTickAsync(ct));
    }

    /// <summary>Every table's fingerprint now, for a registry that knows nothing yet.</summary>
    public static async Task<IReadOnlyList<(TableFingerprint? Fingerprint, long EstimatedRows)>> ReadAsync(
        SourceOptions options,
        EntitySet entities,
        ulong barrier,
        CancellationToken ct
    )
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct);
        var members = await MembersAsync(connection, options.Publication, ct);
        var probed = await TableProbe.ReadAsync(connection, entities, ct);
        return [.. probed.Select(t => (t is null ? null : Fingerprint(t, members, barrier), t?.EstimatedRows ?? 0))];
    }

    private readonly record struct CatalogState(string? StopReason, TableFingerprint? Fingerprint, Lsn SeenAt = default);

    private async Task<IReadOnlyList<(EntityDeclaration, CatalogState)>> ReadStatesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var probed = await TableProbe.ReadCatalogAsync(connection, entities, ct);
        var members = await MembersAsync(connection, options.Publication, ct);
        string? unpublished = null;
        if (probed.Any(t => t is not null && !members.ContainsKey(t.RelationOid)))
        {
            unpublished = await PublishAsync(ct);
            members = await MembersAsync(connection, options.Publication, ct);
        }
        var barrier = (await markers.SnapshotAboveWritersAsync(ct)).Xmax;
        var seenAt = await markers.CurrentWalLsnAsync(ct);
        return [.. entities.All.Select(e => (e, StateOf(e, probed[e.Index], members, unpublished, barrier) with { SeenAt = seenAt }))];
    }

    private static CatalogState StateOf(
        EntityDeclaration entity,
        ProbedTable? table,
        Dictionary<uint, uint> members,
        string? unpublished,
        ulong barrier
    )
    {
        if (table is null)
            return new CatalogState(
                $"Table {entity.SourceName} does not exist in the source. "
                    + $"Create it again, or take entity '{entity.Name}' out of the declaration; cdc then reads it again.",
                null
            );
        if (!table.MaySelect)
            return new CatalogState(
                $"The role may not read {entity.SourceName} any more. Run 'cdc check' for the GRANT; cdc then reads the table again.",
                null
            );
        if (table.HidesRows)
            return new CatalogState(
                $"Row security of {entity.SourceName} hides rows from the role. Run 'cdc check' for what lifts it; "
                    + "cdc then reads the table again.",
                null
            );
        foreach (var column in entity.SourceColumns)
        {
            var found = table.Columns.FirstOrDefault(c => c.Name == column.Name);
            if (found is null)
                return new CatalogState(
                    $"Column {column.Name} of {entity.SourceName} does not exist. "
                        + $"Add it again, or change entity '{entity.Name}' in the declaration; cdc then reads the table again.",
                    null
                );
            if (!SourceTypes.CanRead(column.Type, found.TypeOid))
                return new CatalogState(
                    $"Column {column.Name} of {entity.SourceName} cannot be read as {column.Type} any more. "
                        + "Change its type back, or the declaration; cdc then reads the table again.",
                    null
                );
        }
        if (!members.ContainsKey(table.RelationOid))
            return new CatalogState(
                $"Table {entity.SourceName} is not in the publication{(unpublished is null ? "" : ": " + unpublished)}. "
                    + $"Run: ALTER PUBLICATION … ADD TABLE {entity.SourceName}; cdc then reads it again.",
                null
            );
        return new CatalogState(null, Fingerprint(table, members, barrier));
    }

    /// <summary>
    /// The registry is the truth, because the stream changes it too; but only when it has what was posted last, or it would be posted
    /// twice.
    /// </summary>
    private void Compare(EntityDeclaration entity, CatalogState state)
    {
        var index = entity.Index;
        if (!_posted[index].IsCompleted)
            return;
        var stopped = registry.IsStopped(index);
        if (state.StopReason is { } reason)
        {
            if (stopped)
                return;
            _posted[index] = stream.ChangeTable(index, reason, null, state.SeenAt);
            return;
        }
        if (!stopped && registry.Fingerprints[index] is { } known && IsSame(known, state.Fingerprint!))
            return;
        CaptureLog.TableReadAgain(log, entity.SourceName);
        _posted[index] = stream.ChangeTable(index, null, state.Fingerprint, state.SeenAt);
    }

    private static bool IsSame(TableFingerprint a, TableFingerprint b) => a with { BarrierXid = 0 } == b with { BarrierXid = 0 };

    /// <summary>By table OID the OID of its membership: taking a table out and putting it back makes another one.</summary>
    private static async Task<Dictionary<uint, uint>> MembersAsync(NpgsqlConnection connection, string publication, CancellationToken ct)
    {
        var rows = await connection
            .Statement(MembershipSql, publication)
            .RowsAsync(
                r =>
                    (
                        All: r.GetBoolean(1),
                        Table: r.IsDBNull(2) ? 0 : r.GetFieldValue<uint>(2),
                        Member: r.IsDBNull(3) ? 0 : r.GetFieldValue<uint>(3)
                    ),
                ct
            );
        if (rows.Count == 0)
            throw new DeclaredGapException(
                GapKinds.PublicationMissing,
                $"Publication {publication} was dropped while its slot was followed: changes from then on cannot be decoded.",
                "Run 'cdc slot reset': it creates the publication and a new slot and reads everything again (ops/runbooks/slot-reset.md)."
            );
        if (!rows[0].All)
            throw new DeclaredGapException(
                GapKinds.PublicationPartial,
                $"Publication {publication} no longer publishes every operation: changes were left out.",
                $"Run: ALTER PUBLICATION {Sql.Identifier(publication)} SET (publish = 'insert, update, delete, truncate'); then 'cdc slot reset' (ops/runbooks/slot-reset.md)."
            );
        return rows.Where(r => r.Table != 0).ToDictionary(r => r.Table, r => r.Member);
    }

    private async Task<string?> PublishAsync(CancellationToken ct)
    {
        try
        {
            await _setup.EnsurePublicationAsync(ct);
            return null;
        }
        catch (PostgresException e) when (SqlStates.IsRefusal(e.SqlState))
        {
            return e.MessageText;
        }
    }

    private static TableFingerprint Fingerprint(ProbedTable table, Dictionary<uint, uint> members, ulong barrier)
    {
        var columns = string.Join(
            ';',
            table
                .Columns.OrderBy(c => c.Name, StringComparer.Ordinal)
                .Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Name}:{c.Number}:{c.TypeOid}:{(c.HasMissing ? 1 : 0)}"))
        );
        var member = members.GetValueOrDefault(table.RelationOid);
        return new TableFingerprint(
            table.RelationOid,
            table.RelFileNode,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{columns};publication:{member}{(table.HasDeferredKey ? TableFingerprint.DeferredKey : "")}"
            ),
            barrier
        );
    }
}
