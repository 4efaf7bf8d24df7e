using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>How the source is followed.</summary>
public enum SourceState
{
    /// <summary>Slot and first chunks are being set up; no session starts.</summary>
    Creating,

    /// <summary>It is followed.</summary>
    Streaming,

    /// <summary>Stopped until an operator accepts.</summary>
    Gap,
}

/// <summary>
/// cdc.source and everything that begins with a generation. In two steps, so that a crash between them is taken up where it was:
/// <see cref="BeginGenerationAsync"/> before the slot is touched, <see cref="CompleteGenerationAsync"/> when it stands. Between the two the
/// state is <see cref="SourceState.Creating"/>, in which no session starts.
/// </summary>
public sealed class SourceTable(EngineOptions options)
{
    private const string ReadSql = """
        SELECT s.state, s.generation, s.system_identifier, s.timeline, s.database_name, s.slot, s.publication, s.written_lsn,
               coalesce(c.through_lsn, '0/0'), s.gap_kind, s.gap_detail, s.database_oid, s.database_uuid
        FROM cdc.source s LEFT JOIN (SELECT min(through_lsn) AS through_lsn FROM cdc.checkpoints) c ON true
        """;

    private const string SessionSql =
        $"SELECT state, gap_kind, gap_detail, CASE WHEN {SourceQueries.IsPaused} THEN paused_until END, extract(epoch FROM paused_until - clock_timestamp())::float8, paused_by FROM cdc.source WHERE session = $1";

    /// <summary>For every transaction over Kafka.</summary>
    internal const string CurrentSql = "SELECT generation, state, gap_kind, gap_detail FROM cdc.source";

    private const string BeginSql = """
        INSERT INTO cdc.source AS s (state, generation, system_identifier, timeline, database_name, slot, publication, database_oid, database_uuid)
        VALUES ('creating', $6 + 1, $1, $2, $3, $4, $5, $7::bigint, $8::text)
        ON CONFLICT (singleton) DO UPDATE SET state = 'creating', generation = greatest(s.generation, $6) + 1, session = s.session + 1, system_identifier = $1,
            timeline = $2, database_name = $3, slot = $4, publication = $5, database_oid = $7::bigint, database_uuid = $8::text, updated_at = now()
        """;

    /// <summary>Null if this engine has followed none.</summary>
    public Task<FollowedSource?> ReadAsync(CancellationToken ct) =>
        WithConnectionAsync(async connection => (await connection.Statement(ReadSql).RowsAsync(Read, ct)).SingleOrDefault(), ct);

    /// <summary>Progress is in offsets of Kafka's partitions.</summary>
    public Task<bool> IsOverKafkaAsync(CancellationToken ct) =>
        WithConnectionAsync(connection => PartitionTable.ExistsAsync(connection, ct), ct);

    /// <summary>Begins a session: older ones fail at their next commit, and their fences are broken.</summary>
    /// <exception cref="FencedException">A generation is being made, or a gap is declared.</exception>
    public static async Task<(long Session, int Generation)> BeginSessionAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // A reset that began after this session read the row has no checkpoint to go on from yet.
        var begun = await connection
            .Statement(
                "UPDATE cdc.source SET session = session + 1, updated_at = now() WHERE state = 'streaming' RETURNING session, generation"
            )
            .RowsAsync(row => (Session: row.GetInt64(0), Generation: row.GetInt32(1)), ct);
        if (begun.Count == 0)
            throw new FencedException("A new generation began, or a gap was declared, while this session was starting.");
        await FenceTable.BreakOlderSessionsAsync(connection, begun[0].Session, ct);
        return begun[0];
    }

    /// <summary>The session is the one that follows the source, and nothing is broken.</summary>
    /// <exception cref="FencedException">Another session has begun.</exception>
    /// <exception cref="DeclaredGapException">A gap is declared.</exception>
    /// <exception cref="PausedException">The source is to be let go of.</exception>
    internal static async Task RequireSessionAsync(NpgsqlConnection connection, long session, CancellationToken ct)
    {
        await using var command = connection.Statement(SessionSql, session);
        await command.PrepareAsync(ct);
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            throw Replaced(session);
        if (States.Of<SourceState>(row.GetString(0)) == SourceState.Gap)
            throw Declared(row, 1, "Accept it and read everything again with 'cdc slot reset' (ops/runbooks/slot-reset.md).");
        if (row.Time(3) is { } until)
            throw new PausedException(new SourcePause(until, TimeSpan.FromSeconds(row.GetDouble(4)), row.Get<string>(5) ?? ""));
    }

    /// <summary>The same, held until COMMIT.</summary>
    /// <exception cref="FencedException">Another session has begun, or none may go on.</exception>
    internal static async Task LockSessionAsync(NpgsqlConnection connection, long session, CancellationToken ct)
    {
        await using var command = connection.Statement(
            "SELECT FROM cdc.source WHERE session = $1 AND state = 'streaming' FOR SHARE",
            session
        );
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct))
            throw Replaced(session);
    }

    /// <exception cref="FencedException">Another session has begun.</exception>
    internal static async Task SetWrittenAsync(NpgsqlConnection connection, Lsn written, long session, CancellationToken ct)
    {
        await using var command = connection.Statement(
            "UPDATE cdc.source SET written_lsn = greatest(written_lsn, $1), updated_at = now() WHERE session = $2",
            written,
            session
        );
        await command.PrepareAsync(ct);
        if (await command.ExecuteNonQueryAsync(ct) != 1)
            throw Replaced(session);
    }

    /// <summary>The generation of <see cref="CurrentSql"/>.</summary>
    /// <exception cref="DeclaredGapException">A gap is declared.</exception>
    /// <exception cref="CdcException">Unavailable: a generation is being made.</exception>
    internal static int GenerationOf(NpgsqlDataReader current) =>
        States.Of<SourceState>(current.GetString(1)) switch
        {
            SourceState.Streaming => current.GetInt32(0),
            SourceState.Gap => throw Declared(
                current,
                2,
                "Check with 'cdc slot show'; accept it and read everything again with 'cdc slot reset' (ops/runbooks/slot-reset.md)."
            ),
            _ => throw new CdcException(
                FailureKind.Unavailable,
                "A new generation is being made.",
                "Nothing is lost; it goes on when 'cdc capture' has made it."
            ),
        };

    private static FencedException Replaced(long session) => new($"Session {session} is not the one that follows the source any more.");

    /// <param name="kind">Column of the gap's kind; its detail follows.</param>
    private static DeclaredGapException Declared(NpgsqlDataReader row, int kind, string remedy) =>
        new(row.Get<string>(kind) ?? "unknown", row.Get<string>(kind + 1) ?? "A gap was declared.", remedy);

    /// <summary>
    /// Begins generation 1, or the next one: everything of older ones loses. Ends the session that may be running, whose feedback and
    /// commits fail from here on.
    /// </summary>
    /// <param name="above">The log's generation, which may be above the engine's where that was restored; 0 where the log keeps
    /// none.</param>
    public Task BeginGenerationAsync(
        string systemIdentifier,
        int timeline,
        FollowedDatabase database,
        string slot,
        string publication,
        int above,
        CancellationToken ct
    ) =>
        ExecuteAsync(
            [
                Statements.BatchStatement(
                    BeginSql,
                    systemIdentifier,
                    timeline,
                    database.Name,
                    slot,
                    publication,
                    above,
                    database.Oid,
                    database.Uuid
                ),
                Statements.BatchStatement(CheckpointTable.DisownSql),
            ],
            ct
        );

    /// <summary>
    /// Only one process at a time makes the slot of a generation; another waits here, and then finds the work done. Given back when
    /// disposed.
    /// </summary>
    public Task<IAsyncDisposable> LockGenerationAsync(CancellationToken ct) =>
        EngineErrors.GuardAsync<IAsyncDisposable>(async () =>
        {
            var connection = await EngineConnection.OpenAsync(options, EngineRole.Generation, ct);
            try
            {
                await connection.Statement($"SELECT pg_advisory_lock({AdvisoryLocks.Generation})").ExecuteAsync(ct);
                return connection;
            }
            catch
            {
                await connection.DisposeAsync();
                throw;
            }
        });

    /// <summary>
    /// The slot stands at <paramref name="start"/>: every table is to be read, all commits from there on will be streamed.
    /// </summary>
    /// <exception cref="FencedException">Another generation has begun meanwhile.</exception>
    public Task CompleteGenerationAsync(int generation, Lsn start, IReadOnlyList<PlannedTable> tables, CancellationToken ct) =>
        WithConnectionAsync(
            async connection =>
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                var source = Statements.BatchStatement(
                    """
                    UPDATE cdc.source SET state = 'streaming', written_lsn = $1, gap_kind = NULL, gap_detail = NULL, updated_at = now()
                    WHERE state = 'creating' AND generation = $2
                    """,
                    start,
                    generation
                );
                if (await ExecuteAsync(connection, [source], ct) != 1)
                    throw new FencedException($"Generation {generation} is not the one that is being created any more.");
                await ExecuteAsync(connection, [.. Begin(start), .. tables.SelectMany(t => TablesTable.Load(t, 0))], ct);
                await transaction.CommitAsync(ct);
                return true;
            },
            ct
        );

    private static IEnumerable<NpgsqlBatchCommand> Begin(Lsn start) =>
        [
            Statements.BatchStatement(CheckpointTable.BeginGenerationSql, start),
            Statements.BatchStatement(ChunkTable.ForgetSql),
            Statements.BatchStatement(HeldTable.ForgetSql),
            // Their chunks are gone: the next session cuts them again.
            Statements.BatchStatement(RequestTable.ReopenSql),
        ];

    /// <summary>Entities that were declared since: their tables are read once every transaction below the barrier has ended.</summary>
    public Task AddEntitiesAsync(IReadOnlyList<PlannedTable> tables, ulong barrierXid, CancellationToken ct) =>
        ExecuteAsync([.. tables.SelectMany(t => TablesTable.Load(t, barrierXid))], ct);

    /// <summary>Entities that the engine knows, and whether it knows the shape of their table.</summary>
    public Task<IReadOnlyDictionary<string, bool>> EntitiesAsync(CancellationToken ct) =>
        WithConnectionAsync(connection => TablesTable.KnownAsync(connection, ct), ct);

    /// <summary>Continuity is broken: nothing goes on, here or in a restarted process, until it is accepted.</summary>
    /// <returns>False: another generation began meanwhile, of which nothing is known to be broken.</returns>
    public Task<bool> DeclareGapAsync(int generation, string kind, string detail, CancellationToken ct) =>
        WithConnectionAsync(
            async connection =>
            {
                // Another source or slot than the one that is being followed just now is a mistake of this process's settings, and no gap.
                if (
                    kind is GapKinds.SourceChanged or GapKinds.SlotRenamed or GapKinds.PublicationRenamed
                    && await IsFollowedAsync(connection, ct)
                )
                    return true;
                var declared = await connection
                    .Statement(
                        "UPDATE cdc.source SET state = 'gap', gap_kind = $1, gap_detail = $2, updated_at = now() WHERE state <> 'creating' AND generation = $3",
                        kind,
                        detail,
                        generation
                    )
                    .ExecuteAsync(ct);
                return declared == 1;
            },
            ct
        );

    /// <summary>A pipeline is at work: in-process, or either end of it over Kafka.</summary>
    private static Task<bool> IsFollowedAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection
            .Statement($"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND {EngineRoles.FollowsSource})")
            .ScalarAsync<bool>(ct);

    /// <summary>
    /// Nothing is broken with this identity of the same source: after the checks of 'cdc slot adopt', or where it goes on by itself.
    /// </summary>
    /// <exception cref="FencedException">What was checked has changed meanwhile.</exception>
    public async Task AdoptAsync(
        FollowedSource from,
        string systemIdentifier,
        int timeline,
        FollowedDatabase database,
        CancellationToken ct
    )
    {
        var update = Statements.BatchStatement(
            """
            UPDATE cdc.source SET state = 'streaming', system_identifier = $1, timeline = $2, database_oid = $7::bigint, database_name = $8,
                database_uuid = coalesce($9::text, database_uuid), gap_kind = NULL, gap_detail = NULL, updated_at = now()
            WHERE generation = $3 AND system_identifier = $4 AND timeline = $5 AND state = $6
            """,
            systemIdentifier,
            timeline,
            from.Generation,
            from.SystemIdentifier,
            from.Timeline,
            from.State.Word(),
            database.Oid,
            database.Name,
            database.Uuid
        );
        if (await ExecuteAsync([update], ct) != 1)
            throw new FencedException("The engine's source was changed by another process while this one was checking it.");
    }

    /// <summary>From now on nobody has a session at the source, for so long; again: for so long from now.</summary>
    /// <returns>Until when, by the engine's clock; null: no source is followed.</returns>
    public Task<DateTimeOffset?> PauseAsync(TimeSpan time, string by, CancellationToken ct) =>
        WithConnectionAsync(
            async connection =>
                (
                    await connection
                        .Statement(
                            "UPDATE cdc.source SET paused_until = clock_timestamp() + make_interval(secs => $1), paused_at = clock_timestamp(), paused_by = $2, updated_at = now() RETURNING paused_until",
                            time.TotalSeconds,
                            by
                        )
                        .RowsAsync(row => row.Time(0), ct)
                ).SingleOrDefault(),
            ct
        );

    /// <summary>The source may be read again.</summary>
    /// <returns>False: it was not let go of.</returns>
    public Task<bool> ResumeAsync(CancellationToken ct) =>
        WithConnectionAsync(
            async connection =>
                await connection
                    .Statement(
                        $"WITH was AS (SELECT {SourceQueries.IsPaused} AS paused FROM cdc.source) UPDATE cdc.source SET paused_until = NULL, paused_at = NULL, paused_by = NULL, updated_at = now() FROM was RETURNING was.paused IS TRUE"
                    )
                    .RowsAsync(row => row.GetBoolean(0), ct)
                    is [true],
            ct
        );

    /// <returns>Null: the source may be read.</returns>
    public Task<SourcePause?> PauseAsync(CancellationToken ct) =>
        WithConnectionAsync(connection => SourceQueries.PauseAsync(connection, ct), ct);

    private static FollowedSource Read(NpgsqlDataReader r) =>
        new(
            States.Of<SourceState>(r.GetString(0)),
            r.GetInt32(1),
            r.GetString(2),
            r.GetInt32(3),
            r.GetString(4),
            r.GetString(5),
            r.GetString(6),
            r.Lsn(7),
            r.Lsn(8),
            r.Get<string>(9),
            r.Get<string>(10),
            r.Long(11),
            r.Get<string>(12)
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
        return await batch.ExecuteNonQueryAsync(ct);
    }

    private Task<T> WithConnectionAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken ct) =>
        EngineErrors.GuardAsync(async () =>
        {
            await using var connection = await EngineConnection.OpenAsync(options with { SynchronousCommit = true }, EngineRole.Source, ct);
            return await work(connection);
        });
}
