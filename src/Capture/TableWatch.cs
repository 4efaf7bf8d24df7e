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
/// Looks at the declared tables in the source's catalog, because much that changes rows sends no event. A table that cannot be read as
/// declared stops; one that changed unseen is read again; one that left the publication is published again first.
/// </summary>
internal sealed class TableWatch(
    SourceOptions options,
    EntitySet entities,
    SlotSetup setup,
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

    private readonly Task[] _posted = [.. Enumerable.Repeat(Task.CompletedTask, entities.Count)];

    public async Task RunAsync(CancellationToken ct)
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct).ConfigureAwait(false);
        using var timer = new PeriodicTimer(Interval);
        do
        {
            foreach (var (entity, look) in await LookAsync(connection, ct).ConfigureAwait(false))
                Compare(entity, look);
        } while (await timer.WaitForNextTickAsync(ct).ConfigureAwait(false));
    }

    /// <summary>What every table looks like now, for a registry that knows nothing yet.</summary>
    public static async Task<IReadOnlyList<(TableFingerprint? Fingerprint, long EstimatedRows)>> ReadAsync(
        SourceOptions options,
        EntitySet entities,
        ulong barrier,
        CancellationToken ct
    )
    {
        await using var connection = await SourceConnection.OpenAsync(options, ct).ConfigureAwait(false);
        var members = await MembersAsync(connection, options.Publication, ct).ConfigureAwait(false);
        var probed = await TableProbe.ReadAsync(connection, entities, ct).ConfigureAwait(false);
        return [.. probed.Select(t => (t is null ? null : Fingerprint(t, members, barrier), t?.EstimatedRows ?? 0))];
    }

    private readonly record struct Look(string? StopReason, TableFingerprint? Fingerprint, Lsn SeenAt = default);

    private async Task<IReadOnlyList<(EntityDeclaration, Look)>> LookAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var probed = await TableProbe.LookAsync(connection, entities, ct).ConfigureAwait(false);
        var members = await MembersAsync(connection, options.Publication, ct).ConfigureAwait(false);
        string? unpublished = null;
        if (probed.Any(t => t is not null && !members.ContainsKey(t.RelationOid)))
        {
            unpublished = await PublishAsync(ct).ConfigureAwait(false);
            members = await MembersAsync(connection, options.Publication, ct).ConfigureAwait(false);
        }
        var barrier = (await markers.SnapshotAboveWritersAsync(ct).ConfigureAwait(false)).Xmax;
        var seenAt = await markers.CurrentWalLsnAsync(ct).ConfigureAwait(false);
        return [.. entities.All.Select(e => (e, LookAt(e, probed[e.Index], members, unpublished, barrier) with { SeenAt = seenAt }))];
    }

    private static Look LookAt(
        EntityDeclaration entity,
        ProbedTable? table,
        Dictionary<uint, uint> members,
        string? unpublished,
        ulong barrier
    )
    {
        if (table is null)
            return new Look(
                $"Table {entity.SourceName} does not exist in the source. Create it again, or take entity '{entity.Name}' out of the declaration; it is then read again by itself.",
                null
            );
        if (!table.MaySelect)
            return new Look(
                $"The role may not read {entity.SourceName} any more. Run 'cdc check' for the GRANT; the table is then read again by itself.",
                null
            );
        if (table.HidesRows)
            return new Look(
                $"Row security of {entity.SourceName} hides rows from the role. Run 'cdc check' for what lifts it; the table is then read again by itself.",
                null
            );
        foreach (var column in entity.SourceColumns)
        {
            var found = table.Columns.FirstOrDefault(c => c.Name == column.Name);
            if (found is null)
                return new Look(
                    $"Column {column.Name} of {entity.SourceName} does not exist. Add it again, or change entity '{entity.Name}' in the declaration; the table is then read again by itself.",
                    null
                );
            if (!SourceTypes.CanRead(column.Type, found.TypeOid))
                return new Look(
                    $"Column {column.Name} of {entity.SourceName} cannot be read as {column.Type} any more. Change its type back, or the declaration; the table is then read again by itself.",
                    null
                );
        }
        if (!members.ContainsKey(table.RelationOid))
            return new Look(
                $"Table {entity.SourceName} is not in the publication{(unpublished is null ? "" : ": " + unpublished)}. Run: ALTER PUBLICATION … ADD TABLE {entity.SourceName}; it is then read again by itself.",
                null
            );
        return new Look(null, Fingerprint(table, members, barrier));
    }

    /// <summary>
    /// The registry is the truth, because the stream changes it too; but only when it has what was posted last, or it would be posted twice.
    /// </summary>
    private void Compare(EntityDeclaration entity, Look look)
    {
        var index = entity.Index;
        if (!_posted[index].IsCompleted)
            return;
        var stopped = registry.IsStopped(index);
        if (look.StopReason is { } reason)
        {
            if (stopped)
                return;
            CaptureLog.TableStops(log, entity.SourceName, reason);
            _posted[index] = stream.ChangeTable(index, reason, null, look.SeenAt);
            return;
        }
        if (!stopped && registry.Fingerprints[index] is { } known && IsSame(known, look.Fingerprint!))
            return;
        CaptureLog.TableReadAgain(log, entity.SourceName);
        _posted[index] = stream.ChangeTable(index, null, look.Fingerprint, look.SeenAt);
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
            )
            .ConfigureAwait(false);
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
            await setup.EnsurePublicationAsync(ct).ConfigureAwait(false);
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
            string.Create(CultureInfo.InvariantCulture, $"{columns};publication:{member}"),
            barrier
        );
    }
}
