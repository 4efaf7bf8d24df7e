using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Status;

/// <summary>Reads what the pipeline keeps in the engine, in one snapshot so that the numbers belong together.</summary>
/// <param name="overKafka">Whether checkpoints are those of the Kafka log's partitions.</param>
public sealed class EngineStatusReader(EntitySet entities, bool overKafka)
{
    private const string SourceSql = $"""
        SELECT s.state, s.generation, s.session, s.system_identifier, s.gap_kind, s.gap_detail, s.written_lsn::text, c.through::text,
               NULLIF(c.last_commit, '-infinity'), extract(epoch FROM clock_timestamp() - c.moved)::float8, NULLIF(c.as_of, '-infinity'),
               CASE WHEN {SourceQueries.IsPaused} THEN s.paused_until END, s.paused_by
        FROM (VALUES (1)) one
        LEFT JOIN cdc.source s ON true
        LEFT JOIN (SELECT min(through_lsn) AS through, max(updated_at) AS moved, min(as_of) AS as_of,
            -- Of the partition that is furthest behind: one to which nothing comes says nothing.
            max(last_commit_at) FILTER (WHERE through_lsn = (SELECT min(through_lsn) FROM cdc.checkpoints)) AS last_commit FROM cdc.checkpoints) c ON true
        """;

    // The declaration's entities first and in its order, then those that only the engine still knows.
    private const string EntitiesSql = """
        SELECT COALESCE(d.entity, t.entity), t.state, t.reason, COALESCE(t.estimated_rows, 0),
               (SELECT n_live_tup FROM pg_stat_all_tables WHERE relid = to_regclass(d.engine_table)),
               q.n, q.oldest, r.n, r.oldest, t.held_deletes, t.held_of,
               CASE WHEN t.state = 'stopped' THEN t.updated_at END,
               CASE WHEN t.state = 'stopped' THEN extract(epoch FROM clock_timestamp() - t.updated_at)::float8 END
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY d(entity, engine_table, place)
        FULL JOIN cdc.tables t ON t.entity = d.entity
        CROSS JOIN LATERAL (SELECT count(*) AS n, min(first_seen) AS oldest FROM cdc.quarantine WHERE entity = COALESCE(d.entity, t.entity)) q
        CROSS JOIN LATERAL (SELECT count(*) AS n, min(since) AS oldest FROM cdc.rereads WHERE entity = COALESCE(d.entity, t.entity)) r
        ORDER BY d.place, t.entity
        """;

    private const string LogSql = $"""
        SELECT t.through_lsn::text, NULLIF(t.as_of, '-infinity'), max(NULLIF(c.last_commit_at, '-infinity')) OVER (), c.partition, c.next_offset, NULLIF(c.last_commit_at, '-infinity'), NULLIF(c.as_of, '-infinity')
        FROM cdc.checkpoints c
        CROSS JOIN (SELECT through_lsn, as_of FROM cdc.log_throughs WHERE generation = {SourceQueries.Generation}
                    UNION ALL SELECT through_lsn, as_of FROM cdc.checkpoints ORDER BY through_lsn DESC, as_of DESC NULLS LAST LIMIT 1) t
        WHERE c.next_offset IS NOT NULL
        """;

    private const string RequestsSql = """
        SELECT id, kind, entity, from_key, to_key, state, requested_by, requested_at, answer, cardinality(keys)::bigint
        FROM cdc.requests WHERE state IN ('open', 'accepted') ORDER BY id
        """;

    /// <summary>Who watches must not wait for who has locked a table of the engine: a migration of its owner, or VACUUM FULL.</summary>
    private const string ShortLockTimeout = "SET LOCAL lock_timeout = '50ms'";

    public async Task<EngineStatus> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        var status = (await connection.Statement(SourceSql).RowsAsync(ReadSource, ct)).Single();
        return status with
        {
            Entities =
            [
                .. (await ReadEntitiesAsync(connection, snapshot, ct)).Select(e =>
                    e with
                    {
                        BehindGap = status.State == SourceState.Gap.Word(),
                    }
                ),
            ],
            Requests = await connection.Statement(RequestsSql).RowsAsync(ReadRequest, ct),
            Log = overKafka ? await ReadLogAsync(connection, ct) : null,
        };
    }

    private static EngineStatus ReadSource(NpgsqlDataReader row) =>
        new()
        {
            State = row.Get<string>(0) ?? "new",
            Generation = row.IsDBNull(1) ? null : row.GetInt32(1),
            Session = row.Long(2),
            SystemIdentifier = row.Get<string>(3),
            GapKind = row.Get<string>(4),
            GapDetail = row.Get<string>(5),
            WrittenLsn = row.Get<string>(6),
            ThroughLsn = row.Get<string>(7),
            LastCommitAt = row.Time(8),
            CheckpointAgeSeconds = row.Double(9),
            AsOf = row.Time(10),
            PausedUntil = row.Time(11),
            PausedBy = row.IsDBNull(11) ? null : row.Get<string>(12),
        };

    private static async Task<AppliedLog?> ReadLogAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var rows = await connection
            .Statement(LogSql)
            .RowsAsync(
                row =>
                    (
                        Through: row.Get<string>(0),
                        AsOf: row.Time(1),
                        LastCommitAt: row.Time(2),
                        Partition: new AppliedPartition(row.GetString(3), row.GetInt64(4), row.Time(5), row.Time(6))
                    ),
                ct
            );
        return rows is [var first, ..]
            ? new AppliedLog(first.Through, first.AsOf, first.LastCommitAt, [.. rows.Select(r => r.Partition)])
            : null;
    }

    private async Task<List<EntityStatus>> ReadEntitiesAsync(NpgsqlConnection connection, NpgsqlTransaction snapshot, CancellationToken ct)
    {
        var snapshots = await SnapshotReader.ReadAsync(connection, ct);
        object?[] declared = [entities.All.Select(e => e.Name).ToArray(), entities.All.Select(e => e.EngineName).ToArray()];
        var rows = await connection.Statement(EntitiesSql, declared).RowsAsync(row => ReadEntity(row, snapshots), ct);
        await connection.Statement(ShortLockTimeout).ExecuteAsync(ct);
        for (var i = 0; i < rows.Count; i++)
        {
            if (entities.All.FirstOrDefault(e => e.Name == rows[i].Entity) is not { } entity)
                continue;
            if (rows[i].Rows is 0)
            {
                var loaded = rows[i].Snapshot?.RowsDone ?? 0;
                rows[i] = rows[i] with { Rows = await ReadableAsync(snapshot, () => CountAsync(connection, entity, loaded, ct), ct) };
            }
            if (entity.Parents.Count > 0)
                rows[i] = rows[i] with
                {
                    WaitingForParent = await ReadableAsync(
                        snapshot,
                        () => WaitingChildren.CountAsync(connection, entities, entity, ct),
                        ct
                    ),
                };
        }
        return rows;
    }

    /// <returns>Null: a table is locked, is not there, or may not be read. All the rest can be told without the data's tables, and is.</returns>
    private static async Task<long?> ReadableAsync(NpgsqlTransaction snapshot, Func<Task<long>> count, CancellationToken ct)
    {
        const string before = "before_count";
        await snapshot.SaveAsync(before, ct);
        try
        {
            var counted = await count();
            await snapshot.ReleaseAsync(before, ct);
            return counted;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable || SqlStates.IsRefusal(e.SqlState))
        {
            await snapshot.RollbackAsync(before, ct);
            return null;
        }
    }

    /// <summary>The server's statistics come seconds late, and are gone after a crash of it: 0 may mean that they know nothing.</summary>
    private static async Task<long> CountAsync(NpgsqlConnection connection, EntityDeclaration entity, long loaded, CancellationToken ct)
    {
        const int most = 10_000;
        var counted = (
            await connection
                .Statement($"SELECT count(*) FROM (SELECT FROM {entity.EngineName} LIMIT {most}) counted")
                .RowsAsync(row => row.GetInt64(0), ct)
        ).Single();
        return counted < most ? counted : Math.Max(counted, loaded);
    }

    private static EntityStatus ReadEntity(NpgsqlDataReader row, Dictionary<string, ChunkCounts> snapshots) =>
        new()
        {
            Entity = row.GetString(0),
            State = row.Get<string>(1) ?? "new",
            Reason = row.Get<string>(2),
            Rows = row.Long(4),
            Snapshot = snapshots.TryGetValue(row.GetString(0), out var counts) ? SnapshotMath.Of(counts, row.GetInt64(3)) : null,
            Quarantine = row.GetInt64(5),
            OldestQuarantine = row.Time(6),
            Holes = row.GetInt64(7),
            OldestHole = row.Time(8),
            HeldDeletes = row.Long(9),
            HeldOf = row.Long(10),
            StoppedAt = row.Time(11),
            StoppedSeconds = row.Double(12),
            WaitingForParent = 0,
        };

    private static RequestStatus ReadRequest(NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            row.GetString(1),
            row.Get<string>(2),
            row.Long(3),
            row.Long(4),
            row.GetString(5),
            row.GetString(6),
            row.Time(7)!.Value,
            row.Get<string>(8),
            row.Long(9)
        );
}
