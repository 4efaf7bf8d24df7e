using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Cdc.Core.Snapshots;
using Cdc.Engine.Progress;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Engine.Snapshots;

/// <summary>
/// What is still to be read: ranges in cdc.chunks, keys with holes in cdc.rereads, rows to try again in cdc.quarantine, and what other
/// processes ask for in cdc.requests.
/// </summary>
public sealed class ChunkTable(EntitySet entities, EngineOptions options, TableStates tables, int generation)
    : IChunkQueue,
        IAsyncDisposable
{
    private const int KeysOfOneJob = 1_000;

    /// <summary>$1 generation, $2 keys of one chunk at most.</summary>
    private const string AcceptRequests = """
        WITH accepted AS (
            UPDATE cdc.requests SET state = 'accepted' WHERE state = 'open' AND kind = 'snapshot' RETURNING id, entity, from_key, to_key, keys),
        numbered AS (
            SELECT a.id, a.entity, k.key, (row_number() OVER (PARTITION BY a.id ORDER BY k.key) - 1) / $2 AS part
            FROM accepted a, LATERAL (SELECT DISTINCT unnest(a.keys) AS key) k)
        INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key, keys, request)
        SELECT entity, $1, 'snapshot', from_key, to_key, NULL, id FROM accepted WHERE keys IS NULL
        UNION ALL SELECT entity, $1, 'snapshot', NULL, NULL, array_agg(key), id FROM numbered GROUP BY id, entity, part
        """;

    /// <summary>
    /// First of the entity that is read by fewest: connections that load one table wait for each other's locks on its indexes and its end.
    /// </summary>
    private const string NextRange = """
        SELECT c.id, c.entity, c.kind, c.from_key, c.to_key, c.keys FROM cdc.chunks c JOIN cdc.tables t ON t.entity = c.entity
        WHERE c.state = 'pending' AND t.state <> 'stopped' AND c.generation = $1 AND NOT c.id = ANY($2) AND NOT c.entity = ANY($4)
        ORDER BY cardinality(array_positions($5, c.entity)), array_position($3::text[], c.entity), c.from_key NULLS FIRST LIMIT 1
        """;

    private const string NextKeys = """
        SELECT e.kind, e.entity, e.key FROM (
            SELECT 'reread' AS kind, entity, key FROM cdc.rereads
            UNION ALL SELECT 'retry', entity, key FROM cdc.quarantine WHERE retry_requested) e
        JOIN cdc.tables t ON t.entity = e.entity WHERE t.state <> 'stopped' AND NOT e.entity = ANY($2) ORDER BY e.kind, e.entity, e.key LIMIT $1
        """;

    private readonly SemaphoreSlim _lock = new(1, 1);
    private NpgsqlConnection? _connection;

    public ulong BarrierXid(int entity) => tables.Barrier(entity);

    public Task WaitAsync(TimeSpan atMost, CancellationToken ct) => Task.Delay(atMost, ct);

    public Task<ChunkJob?> NextAsync(IReadOnlyCollection<ChunkJob> busy, IReadOnlyCollection<int> waiting, CancellationToken ct) =>
        EngineErrors.GuardAsync(() => FindAsync(busy, [.. waiting.Select(e => entities[e].Name)], ct));

    public Task<ChunkJob> SplitAsync(ChunkJob job, long at, CancellationToken ct) => EngineErrors.GuardAsync(() => CutAsync(job, at, ct));

    private async Task<ChunkJob?> FindAsync(IReadOnlyCollection<ChunkJob> busy, string[] waiting, CancellationToken ct)
    {
        await _lock.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var connection = await ConnectionAsync(ct).ConfigureAwait(false);
            await using (
                var accept = new NpgsqlCommand(AcceptRequests, connection)
                {
                    Parameters =
                    {
                        new() { Value = generation },
                        new() { Value = KeysOfOneJob },
                    },
                }
            )
            {
                await accept.PrepareAsync(ct).ConfigureAwait(false);
                if (await accept.ExecuteNonQueryAsync(ct).ConfigureAwait(false) > 0)
                    CrashPoint.Hit("after-request-accepted");
            }
            return await NextRangeAsync(connection, busy, waiting, ct).ConfigureAwait(false)
                ?? await NextKeysAsync(connection, busy, waiting, ct).ConfigureAwait(false);
        }
        finally
        {
            _lock.Release();
        }
    }

    private async Task<ChunkJob> CutAsync(ChunkJob job, long at, CancellationToken ct)
    {
        // The others are kept as their own entries.
        if (job.Id == 0)
            return Below(job, at);
        await _lock.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var connection = await ConnectionAsync(ct).ConfigureAwait(false);
            await using var command = new NpgsqlCommand(
                """
                WITH lower AS (
                    UPDATE cdc.chunks SET to_key = CASE WHEN keys IS NULL THEN $2 END, keys = $4
                    WHERE id = $1 AND state = 'pending' RETURNING entity, generation, kind, request)
                INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key, keys, request)
                SELECT entity, generation, kind, CASE WHEN $5 IS NULL THEN $2 END, $3, $5, request FROM lower
                """,
                connection
            )
            {
                Parameters =
                {
                    new() { Value = job.Id },
                    new() { Value = at },
                    Key(job.Range.To),
                    Keys(job.Keys?.Where(k => k < at)),
                    Keys(job.Keys?.Where(k => k >= at)),
                },
            };
            await command.PrepareAsync(ct).ConfigureAwait(false);
            await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            CrashPoint.Hit("after-split");
            return Below(job, at);
        }
        finally
        {
            _lock.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _lock.Dispose();
        if (_connection is { } connection)
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    private static ChunkJob Below(ChunkJob job, long at) =>
        job.Keys is { } keys ? job with { Keys = keys.Where(k => k < at).ToHashSet() } : job with { Range = job.Range with { To = at } };

    public static NpgsqlParameter Keys(IEnumerable<long>? keys) =>
        new() { Value = (object?)keys?.ToArray() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    public static NpgsqlParameter Key(long? key) => new() { Value = (object?)key ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private async ValueTask<NpgsqlConnection> ConnectionAsync(CancellationToken ct) =>
        _connection ??= await EngineConnection.OpenAsync(options, "chunks", ct).ConfigureAwait(false);

    private async Task<ChunkJob?> NextRangeAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<ChunkJob> busy,
        string[] waiting,
        CancellationToken ct
    )
    {
        await using var command = new NpgsqlCommand(NextRange, connection)
        {
            Parameters =
            {
                new() { Value = generation },
                new() { Value = busy.Select(j => j.Id).ToArray() },
                new() { Value = entities.All.Select(e => e.Name).ToArray() },
                new() { Value = waiting },
                new() { Value = busy.Select(j => entities[j.Entity].Name).ToArray() },
            },
        };
        await command.PrepareAsync(ct).ConfigureAwait(false);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await reader.ReadAsync(ct).ConfigureAwait(false) || entities.Find(reader.GetString(1)) is not { } entity)
            return null;
        var kind = reader.GetString(2) == "load" ? ChunkKind.Load : ChunkKind.Snapshot;
        return new ChunkJob(
            reader.GetInt64(0),
            generation,
            entity.Index,
            kind,
            new KeyRange(Bound(reader, 3), Bound(reader, 4)),
            reader.IsDBNull(5) ? null : reader.GetFieldValue<long[]>(5).ToHashSet()
        );
    }

    private async Task<ChunkJob?> NextKeysAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<ChunkJob> busy,
        string[] waiting,
        CancellationToken ct
    )
    {
        var jobs = new Dictionary<(string Kind, string Entity), List<long>>();
        await using var command = new NpgsqlCommand(NextKeys, connection)
        {
            Parameters =
            {
                new() { Value = KeysOfOneJob },
                new() { Value = waiting },
            },
        };
        await command.PrepareAsync(ct).ConfigureAwait(false);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            var name = (reader.GetString(0), reader.GetString(1));
            if (!jobs.TryGetValue(name, out var keys))
                jobs[name] = keys = [];
            keys.Add(reader.GetInt64(2));
        }
        foreach (var ((kind, name), keys) in jobs)
        {
            if (entities.Find(name) is not { } entity)
                continue;
            var free = keys.Where(key => !busy.Any(j => j.Entity == entity.Index && j.Keys is not null && j.Covers(key))).ToHashSet();
            if (free.Count > 0)
                return new ChunkJob(0, generation, entity.Index, kind == "retry" ? ChunkKind.Retry : ChunkKind.Reread, KeyRange.All, free);
        }
        return null;
    }

    private static long? Bound(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetInt64(ordinal);
}
