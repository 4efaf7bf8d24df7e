using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Engine.Progress;

/// <summary>The source as the engine has followed it so far.</summary>
/// <param name="State"><c>creating</c>: slot and first chunks are being set up; <c>streaming</c>; <c>gap</c>: stopped until an operator accepts.</param>
/// <param name="Written">Written down before the last confirmation to the slot.</param>
/// <param name="Through">All commits that start below it are applied.</param>
public sealed record FollowedSource(
    string State,
    int Generation,
    string SystemIdentifier,
    int Timeline,
    string Database,
    string Slot,
    string Publication,
    Lsn Written,
    Lsn Through,
    string? GapKind,
    string? GapDetail
);

/// <summary>What one source table holds when a generation begins.</summary>
public sealed record PlannedTable(string Entity, TableFingerprint? Fingerprint, long EstimatedRows);

/// <summary>
/// cdc.source and everything that begins with a generation. In two steps, so that a crash between them is taken up where it was:
/// <see cref="BeginGenerationAsync"/> before the slot is touched, <see cref="CompleteGenerationAsync"/> when it stands. Between the two the
/// state is <c>creating</c>, in which no session starts.
/// </summary>
public sealed class FollowedSourceTable(EngineOptions options)
{
    // Any fixed number; it must not change, or an older program would not wait for this one.
    private const long GenerationLock = 0x0CDC_0000_0002;

    private const string ReadSql = """
        SELECT s.state, s.generation, s.system_identifier, s.timeline, s.database_name, s.slot, s.publication, s.written_lsn,
               coalesce(c.through_lsn, '0/0'), s.gap_kind, s.gap_detail
        FROM cdc.source s LEFT JOIN (SELECT min(through_lsn) AS through_lsn FROM cdc.checkpoints) c ON true
        """;

    private const string BeginSql = """
        INSERT INTO cdc.source AS s (state, generation, system_identifier, timeline, database_name, slot, publication)
        VALUES ('creating', $6 + 1, $1, $2, $3, $4, $5)
        ON CONFLICT (singleton) DO UPDATE SET state = 'creating', generation = greatest(s.generation, $6) + 1, session = s.session + 1, system_identifier = $1,
            timeline = $2, database_name = $3, slot = $4, publication = $5, updated_at = now()
        """;

    /// <summary>Null if this engine has followed none.</summary>
    public Task<FollowedSource?> ReadAsync(CancellationToken ct) =>
        WithConnectionAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(ReadSql, connection);
                await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
                return await reader.ReadAsync(ct).ConfigureAwait(false) ? Read(reader) : null;
            },
            ct
        );

    /// <summary>Progress is in offsets of Kafka's partitions.</summary>
    public Task<bool> IsOverKafkaAsync(CancellationToken ct) =>
        WithConnectionAsync(
            async connection =>
            {
                await using var command = new NpgsqlCommand(
                    "SELECT EXISTS (SELECT FROM cdc.checkpoints WHERE next_offset IS NOT NULL)",
                    connection
                );
                return (bool)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
            },
            ct
        );

    /// <summary>
    /// Begins generation 1, or the next one: everything of older ones loses. Ends the session that may be running, whose feedback and commits
    /// fail from here on.
    /// </summary>
    /// <param name="above">The log's generation, which may be above the engine's where that was restored; 0 where the log keeps none.</param>
    public Task BeginGenerationAsync(
        string systemIdentifier,
        int timeline,
        string database,
        string slot,
        string publication,
        int above,
        CancellationToken ct
    ) =>
        ExecuteAsync(
            [
                new(BeginSql)
                {
                    Parameters =
                    {
                        new() { Value = systemIdentifier },
                        new() { Value = timeline },
                        new() { Value = database },
                        new() { Value = slot },
                        new() { Value = publication },
                        new() { Value = above },
                    },
                },
                new("UPDATE cdc.checkpoints SET owner_token = gen_random_uuid()"),
            ],
            ct
        );

    /// <summary>
    /// Only one process at a time makes the slot of a generation; another waits here, and then finds the work done. Given back when disposed.
    /// </summary>
    public Task<IAsyncDisposable> LockGenerationAsync(CancellationToken ct) =>
        EngineErrors.GuardAsync<IAsyncDisposable>(async () =>
        {
            var connection = await EngineConnection.OpenAsync(options, "generation", ct).ConfigureAwait(false);
            try
            {
                await using var command = new NpgsqlCommand($"SELECT pg_advisory_lock({GenerationLock})", connection);
                await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
                return connection;
            }
            catch
            {
                await connection.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        });

    /// <summary>The slot stands at <paramref name="start"/>: every table is to be read, all commits from there on will be streamed.</summary>
    /// <exception cref="FencedException">Another generation has begun meanwhile.</exception>
    public Task CompleteGenerationAsync(int generation, Lsn start, IReadOnlyList<PlannedTable> tables, CancellationToken ct) =>
        WithConnectionAsync(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
                NpgsqlBatchCommand source = new(
                    """
                    UPDATE cdc.source SET state = 'streaming', written_lsn = $1, gap_kind = NULL, gap_detail = NULL, updated_at = now()
                    WHERE state = 'creating' AND generation = $2
                    """
                )
                {
                    Parameters =
                    {
                        Statements.Parameter(start),
                        new() { Value = generation },
                    },
                };
                if (await ExecuteAsync(connection, [source], ct).ConfigureAwait(false) != 1)
                    throw new FencedException($"Generation {generation} is not the one that is being created any more.");
                await ExecuteAsync(connection, [.. Begin(start), .. tables.SelectMany(t => Load(t, 0))], ct).ConfigureAwait(false);
                await transaction.CommitAsync(ct).ConfigureAwait(false);
                return true;
            },
            ct
        );

    private static IEnumerable<NpgsqlBatchCommand> Begin(Lsn start) =>
        [
            new(
                """
                INSERT INTO cdc.checkpoints (partition, generation, through_lsn, owner_token) SELECT 'all', generation, $1, gen_random_uuid() FROM cdc.source
                ON CONFLICT (partition) DO UPDATE SET generation = EXCLUDED.generation, last_lsn = '0/0', last_ordinal = 0, last_xid = 0,
                    last_commit_at = '-infinity', as_of = '-infinity', through_lsn = EXCLUDED.through_lsn, owner_token = EXCLUDED.owner_token, updated_at = now()
                """
            )
            {
                Parameters = { Statements.Parameter(start) },
            },
            new("DELETE FROM cdc.chunks"),
            // Their chunks are gone: the next session cuts them again.
            new("UPDATE cdc.requests SET state = 'open' WHERE state = 'accepted'"),
        ];

    /// <summary>Entities that were declared since: their tables are read once every transaction below the barrier has ended.</summary>
    public Task AddEntitiesAsync(IReadOnlyList<PlannedTable> tables, ulong barrierXid, CancellationToken ct) =>
        ExecuteAsync([.. tables.SelectMany(t => Load(t, barrierXid))], ct);

    /// <summary>Entities that the engine has a row of in cdc.tables, and whether it knows what their table looks like.</summary>
    public Task<IReadOnlyDictionary<string, bool>> EntitiesAsync(CancellationToken ct) =>
        WithConnectionAsync<IReadOnlyDictionary<string, bool>>(
            async connection =>
            {
                var known = new Dictionary<string, bool>();
                await using var command = new NpgsqlCommand("SELECT entity, columns IS NOT NULL FROM cdc.tables", connection);
                await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
                while (await reader.ReadAsync(ct).ConfigureAwait(false))
                    known[reader.GetString(0)] = reader.GetBoolean(1);
                return known;
            },
            ct
        );

    /// <summary>Continuity is broken: nothing goes on, here or in a restarted process, until it is accepted.</summary>
    /// <returns>False: another generation began meanwhile, of which nothing is known to be broken.</returns>
    public Task<bool> DeclareGapAsync(int generation, string kind, string detail, CancellationToken ct) =>
        WithConnectionAsync(
            async connection =>
            {
                // Another source or slot than the one that is being followed just now is a mistake of this process's settings, and no gap.
                if (
                    kind is GapKinds.SourceChanged or GapKinds.SlotRenamed or GapKinds.PublicationRenamed
                    && await IsAppliedAsync(connection, ct).ConfigureAwait(false)
                )
                    return true;
                return await ExecuteAsync(
                            connection,
                            [
                                new(
                                    "UPDATE cdc.source SET state = 'gap', gap_kind = $1, gap_detail = $2, updated_at = now() WHERE state <> 'creating' AND generation = $3"
                                )
                                {
                                    Parameters =
                                    {
                                        new() { Value = kind },
                                        new() { Value = detail },
                                        new() { Value = generation },
                                    },
                                },
                            ],
                            ct
                        )
                        .ConfigureAwait(false) == 1;
            },
            ct
        );

    private static async Task<bool> IsAppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cdc apply')",
            connection
        );
        return (bool)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
    }

    /// <summary>Nothing is broken with this identity of the same source: after the checks of 'cdc slot adopt', or where it goes on by itself.</summary>
    /// <exception cref="FencedException">What was checked has changed meanwhile.</exception>
    public async Task AdoptAsync(FollowedSource from, string systemIdentifier, int timeline, CancellationToken ct)
    {
        NpgsqlBatchCommand update = new(
            """
            UPDATE cdc.source SET state = 'streaming', system_identifier = $1, timeline = $2, gap_kind = NULL, gap_detail = NULL, updated_at = now()
            WHERE generation = $3 AND system_identifier = $4 AND timeline = $5 AND state = $6
            """
        )
        {
            Parameters =
            {
                new() { Value = systemIdentifier },
                new() { Value = timeline },
                new() { Value = from.Generation },
                new() { Value = from.SystemIdentifier },
                new() { Value = from.Timeline },
                new() { Value = from.State },
            },
        };
        if (await ExecuteAsync([update], ct).ConfigureAwait(false) != 1)
            throw new FencedException("The engine's source was changed by another process while this one was checking it.");
    }

    public static NpgsqlBatchCommand SetFingerprint(string entity, TableFingerprint fingerprint) =>
        new("UPDATE cdc.tables SET relation_oid = $2, relfilenode = $3, columns = $4, barrier_xid = $5 WHERE entity = $1")
        {
            Parameters =
            {
                new() { Value = entity },
                new() { Value = fingerprint.RelationOid },
                new() { Value = fingerprint.FileNode },
                new() { Value = fingerprint.Columns },
                new() { Value = (long)fingerprint.BarrierXid },
            },
        };

    private static IEnumerable<NpgsqlBatchCommand> Load(PlannedTable table, ulong barrierXid)
    {
        yield return new(
            """
            INSERT INTO cdc.tables AS t (entity, state, whole_generation, estimated_rows, relation_oid, relfilenode, columns, barrier_xid)
            SELECT $1, 'loading', generation, $2, $3, $4, $5, $6 FROM cdc.source
            ON CONFLICT (entity) DO UPDATE SET state = 'loading', reason = NULL, whole_generation = EXCLUDED.whole_generation, whole_lsn = '0/0',
                estimated_rows = EXCLUDED.estimated_rows, relation_oid = EXCLUDED.relation_oid, relfilenode = EXCLUDED.relfilenode,
                columns = EXCLUDED.columns, barrier_xid = EXCLUDED.barrier_xid, updated_at = now()
            """
        )
        {
            Parameters =
            {
                new() { Value = table.Entity },
                new() { Value = table.EstimatedRows },
                Number(table.Fingerprint?.RelationOid),
                Number(table.Fingerprint?.FileNode),
                new() { Value = (object?)table.Fingerprint?.Columns ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new() { Value = (long)barrierXid },
            },
        };
        yield return new("INSERT INTO cdc.chunks (entity, generation, kind) SELECT $1, generation, 'load' FROM cdc.source")
        {
            Parameters = { new() { Value = table.Entity } },
        };
    }

    private static NpgsqlParameter Number(long? value) =>
        new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private static FollowedSource Read(NpgsqlDataReader r) =>
        new(
            r.GetString(0),
            r.GetInt32(1),
            r.GetString(2),
            r.GetInt32(3),
            r.GetString(4),
            r.GetString(5),
            r.GetString(6),
            r.Lsn(7),
            r.Lsn(8),
            r.IsDBNull(9) ? null : r.GetString(9),
            r.IsDBNull(10) ? null : r.GetString(10)
        );

    private Task<int> ExecuteAsync(IReadOnlyList<NpgsqlBatchCommand> commands, CancellationToken ct) =>
        WithConnectionAsync(connection => ExecuteAsync(connection, commands, ct), ct);

    /// <summary>One implicit transaction, where none is open: all of it or nothing.</summary>
    private static async Task<int> ExecuteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<NpgsqlBatchCommand> commands,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in commands)
            batch.BatchCommands.Add(command);
        return await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private Task<T> WithConnectionAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken ct) =>
        EngineErrors.GuardAsync(async () =>
        {
            await using var connection = await EngineConnection
                .OpenAsync(options with { SynchronousCommit = true }, "source", ct)
                .ConfigureAwait(false);
            return await work(connection).ConfigureAwait(false);
        });
}
