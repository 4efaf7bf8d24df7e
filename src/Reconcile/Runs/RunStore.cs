using System.Diagnostics;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Reconcile.Comparing;
using Npgsql;

namespace Cdc.Reconcile.Runs;

/// <summary>A run as it begins, or goes on.</summary>
/// <param name="Done">Where each entity's recorded slices end, how many there are, and what they found; entities without any are not in
/// it.</param>
/// <param name="LeftOut">Entities that it went on without, before it was killed.</param>
internal sealed record OpenRun(long Id, IReadOnlyDictionary<string, DoneSlices> Done, IReadOnlyCollection<string> LeftOut);

/// <param name="Next">The first key behind the recorded slices.</param>
internal sealed record DoneSlices(long Next, int Count, int Generation, SliceNumbers Numbers, long Unlisted);

/// <summary>
/// Runs in the engine's database. One at a time: a session lock says that a run is alive, and without it a run that is 'running' was
/// killed.
/// </summary>
internal sealed class RunStore(NpgsqlConnection engine) : IAsyncDisposable
{
    /// <summary>A run that was killed goes on only while most of what it found is still of today.</summary>
    private const string ResumableFor = "6 hours";

    /// <summary>Poll interval: a session blocked in pg_advisory_lock would hold a snapshot all the while.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(200);

    private const string BeginSql = """
        INSERT INTO cdc.reconcile_runs (kind, entities, from_key, to_key, since, trigger, due_at)
        VALUES ($1, $2, $3::bigint, $4::bigint, $5::timestamptz, $6, $7::timestamptz) RETURNING id
        """;

    private const string KilledSql = $"""
        SELECT max(id) FROM cdc.reconcile_runs
        WHERE state = 'running' AND kind = 'full' AND kind = $1 AND entities = $2 AND from_key IS NOT DISTINCT FROM $3::bigint AND to_key IS NOT DISTINCT FROM $4::bigint
          AND since IS NOT DISTINCT FROM $5::timestamptz AND started_at > now() - interval '{ResumableFor}'
        """;

    private const string DoneSql = """
        SELECT entity, CASE WHEN bool_or(to_key IS NULL) THEN $2 ELSE max(to_key) END, count(*)::integer, max(generation), sum(source_rows)::bigint, sum(engine_rows)::bigint,
            sum(compared)::bigint, sum(missing)::bigint, sum(extra)::bigint, sum(differing)::bigint, sum(in_flight)::bigint, sum(quarantined)::bigint,
            sum(holes)::bigint, sum(loading)::bigint, sum(unlisted)::bigint
        FROM cdc.reconcile_partitions WHERE run = $1 AND state = 'compared' GROUP BY entity
        """;

    /// <param name="timeout">How long to wait for another run.</param>
    /// <exception cref="CdcException">Refused: another run is alive.</exception>
    public async Task LockAsync(TimeSpan timeout, CancellationToken ct)
    {
        for (var began = Stopwatch.GetTimestamp(); ; await Task.Delay(PollInterval, ct))
        {
            var free = await engine
                .Statement("SELECT pg_try_advisory_lock($1)", AdvisoryLocks.ReconcileRuns)
                .RowsAsync(r => r.GetBoolean(0), ct);
            if (free.Single())
                return;
            if (Stopwatch.GetElapsedTime(began) >= timeout)
                throw new CdcException(
                    FailureKind.Refused,
                    "Another comparison is running against this engine.",
                    "Wait until it has ended: SELECT * FROM cdc.reconcile_runs WHERE state = 'running'."
                );
        }
    }

    /// <summary>Begins a run, or goes on with one of the same question that was killed.</summary>
    public async Task<OpenRun> BeginAsync(RunRequest request, CancellationToken ct)
    {
        object?[] question =
        [
            request.KindWord,
            request.Entities.Select(e => e.Name).ToArray(),
            request.Range.From,
            request.Range.To,
            request.Since,
        ];
        var killed = (await engine.Statement(KilledSql, question).RowsAsync(r => r.Long(0), ct)).Single();
        await engine
            .Statement(
                "UPDATE cdc.reconcile_runs SET state = 'failed', detail = 'It was killed.', finished_at = clock_timestamp() WHERE state = 'running' AND id <> $1",
                killed ?? 0
            )
            .ExecuteAsync(ct);
        if (killed is { } id)
        {
            await engine
                .Statement(
                    "UPDATE cdc.reconcile_runs SET trigger = $2, due_at = $3::timestamptz WHERE id = $1",
                    id,
                    request.Trigger,
                    request.Due
                )
                .ExecuteAsync(ct);
            return new OpenRun(id, await DoneAsync(id, ct), await LeftOutAsync(id, ct));
        }
        var begun = await engine.Statement(BeginSql, [.. question, request.Trigger, request.Due]).RowsAsync(r => r.GetInt64(0), ct);
        return new OpenRun(begun.Single(), new Dictionary<string, DoneSlices>(), []);
    }

    public Task SaveAsync(long run, string entity, int place, ComparedSlice slice, bool resolve, CancellationToken ct) =>
        SliceRecord.SaveAsync(engine, run, entity, place, slice, resolve, ct);

    /// <summary>An entity that the run goes on without. Slices of it may be on record.</summary>
    public Task SaveLeftOutAsync(long run, string entity, CancellationToken ct) =>
        engine
            .Statement(
                """
                INSERT INTO cdc.reconcile_partitions (run, entity, place, state, generation, marker_lsn, source_rows, engine_rows, compared, missing, extra, differing, in_flight, quarantined, holes, loading, unlisted, held_ms)
                VALUES ($1, $2, -1, 'stopped', 0, '0/0', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING
                """,
                run,
                entity
            )
            .ExecuteAsync(ct);

    public Task FinishAsync(long run, string verdict, bool capped, int? generation, string? detail, Lsn? through, CancellationToken ct) =>
        engine
            .Statement(
                """
                UPDATE cdc.reconcile_runs SET state = 'done', verdict = $2, capped = $3, generation = $4::integer, detail = $5::text, finished_at = clock_timestamp(),
                    looked_lsn = coalesce($6::text::pg_lsn, (SELECT min(marker_lsn) FROM cdc.reconcile_partitions WHERE run = $1 AND state = 'compared'))
                WHERE id = $1
                """,
                run,
                verdict,
                capped,
                generation,
                detail,
                through?.ToString()
            )
            .ExecuteAsync(ct);

    /// <summary>On any other connection: this one may be what failed.</summary>
    public static Task FailAsync(NpgsqlConnection connection, long run, string detail, CancellationToken ct) =>
        connection
            .Statement(
                "UPDATE cdc.reconcile_runs SET state = 'failed', detail = $2, finished_at = clock_timestamp() WHERE id = $1 AND state = 'running'",
                run,
                detail
            )
            .ExecuteAsync(ct);

    /// <summary>Gives the lock back: a pooled connection's session would keep it.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (engine.FullState == System.Data.ConnectionState.Open)
                await engine.Statement("SELECT pg_advisory_unlock($1)", AdvisoryLocks.ReconcileRuns).ExecuteAsync(CancellationToken.None);
        }
        catch (NpgsqlException)
        {
            // The session is gone, and the lock with it.
        }
        await engine.DisposeAsync();
    }

    private async Task<IReadOnlyCollection<string>> LeftOutAsync(long run, CancellationToken ct) =>
        await engine
            .Statement("SELECT DISTINCT entity FROM cdc.reconcile_partitions WHERE run = $1 AND state = 'stopped'", run)
            .RowsAsync(r => r.GetString(0), ct);

    private async Task<IReadOnlyDictionary<string, DoneSlices>> DoneAsync(long run, CancellationToken ct)
    {
        var rows = await engine
            .Statement(DoneSql, run, KeySpan.Highest)
            .RowsAsync(
                r =>
                    (
                        r.GetString(0),
                        new DoneSlices(
                            r.GetInt64(1),
                            r.GetInt32(2),
                            r.GetInt32(3),
                            new SliceNumbers(
                                r.GetInt64(4),
                                r.GetInt64(5),
                                r.GetInt64(6),
                                r.GetInt64(7),
                                r.GetInt64(8),
                                r.GetInt64(9),
                                r.GetInt64(10),
                                r.GetInt64(11),
                                r.GetInt64(12),
                                r.GetInt64(13)
                            ),
                            r.GetInt64(14)
                        )
                    ),
                ct
            );
        return rows.ToDictionary(r => r.Item1, r => r.Item2);
    }
}
