using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Engine.Tables;

/// <summary>A partition as its owner goes on with it, beyond what the engine has.</summary>
public interface IPartitionProgress
{
    string Name { get; }

    /// <summary>Offset that the engine has.</summary>
    long Committed { get; }

    /// <summary>Offset of the first record that is not taken.</summary>
    long Next { get; }

    /// <summary>Position of the last change that was taken.</summary>
    ChangePosition Last { get; }

    /// <summary>Its commit time, microseconds since 2000-01-01 UTC; null if none was taken since the engine was read.</summary>
    long? LastCommitMicros { get; }

    /// <summary>Pairs of capture session and the sequence that must come next.</summary>
    long[] Sequences { get; }

    long NewestSession { get; }
}

/// <summary>A partition's checkpoint as the engine has it.</summary>
/// <param name="PassedUntil">Records below this offset were there before its generation began.</param>
/// <param name="Sequences">For each capture session the sequence that must come next.</param>
public sealed record PartitionRecord(
    string Name,
    long Next,
    long PassedUntil,
    ChangePosition Last,
    IEnumerable<(long Session, long Sequence)> Sequences
);

/// <summary>
/// cdc.checkpoints over Kafka, a row for each partition. Moves only by compare-and-set on owner and offset, with the rows.
/// </summary>
public sealed class PartitionTable(EngineOptions options, Guid owner)
{
    /// <summary>While the row of the in-process log is there, a generation has begun of which the partitions do not know yet where.</summary>
    private const string IsBeginningSql =
        $"EXISTS (SELECT FROM cdc.checkpoints whole WHERE whole.partition = '{CheckpointTable.Partition}')";

    private const string TakeSql = $"""
        UPDATE cdc.checkpoints SET owner_token = $1, updated_at = now() WHERE partition = ANY($2) AND NOT {IsBeginningSql}
        RETURNING partition, next_offset, passed_until, generation, last_lsn, last_ordinal, sequences
        """;

    /// <summary>An owner that vanished without closing its connection would keep the lock of its open transaction for hours.</summary>
    private static readonly string EndOwnersSql = $"""
        SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN cdc.checkpoints c ON a.application_name = '{EngineRole.Apply.ApplicationName()} ' || c.owner_token
        WHERE c.partition = ANY($1) AND a.datname = current_database() AND a.usename = current_user
        """;

    private const string MoveSql = """
        UPDATE cdc.checkpoints c SET next_offset = u.next, generation = $2, last_lsn = u.lsn::pg_lsn, last_ordinal = u.ordinal,
            last_commit_at = coalesce(u.commit_at, c.last_commit_at), sequences = u.sequences::bigint[], newest_session = u.newest, updated_at = now(),
            (through_lsn, as_of) = (SELECT reached.through_lsn, reached.as_of FROM (
                SELECT c.through_lsn, c.as_of UNION ALL
                SELECT t.through_lsn, coalesce(t.as_of, c.as_of) FROM cdc.log_throughs t WHERE t.generation = $2 AND (t.vector ->> c.partition)::bigint <= u.next) reached
                ORDER BY reached.through_lsn DESC LIMIT 1)
        FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::timestamptz[], $9::text[], $10::bigint[])
            u(partition, committed, next, lsn, ordinal, commit_at, sequences, newest)
        WHERE c.partition = u.partition AND c.owner_token = $1 AND c.next_offset = u.committed
        """;

    private const string ReachSql = """
        UPDATE cdc.checkpoints c SET through_lsn = u.through_lsn, as_of = coalesce(u.as_of, c.as_of), updated_at = now()
        FROM (SELECT DISTINCT ON (o.partition) o.partition, t.through_lsn, t.as_of FROM cdc.checkpoints o
              JOIN cdc.log_throughs t ON t.generation = o.generation AND t.through_lsn > o.through_lsn AND (t.vector ->> o.partition)::bigint <= o.next_offset
              WHERE o.owner_token = $1 AND o.partition = ANY($2) ORDER BY o.partition, t.through_lsn DESC) u
        WHERE c.partition = u.partition AND c.owner_token = $1
        """;

    /// <summary>
    /// $1 partitions, $2 their beginnings, $3 their ends. The row of the in-process log is there when a generation has just begun, or when the
    /// engine followed its source in-process until now. Every partition goes on where it was, or begins at its beginning: the records before
    /// the end (passed_until) lose, but what an apply passes over may have to end in the topic (<see cref="OwedTable"/>).
    /// </summary>
    private const string BeginGenerationSql = $$"""
        WITH whole AS (DELETE FROM cdc.checkpoints WHERE partition = '{{CheckpointTable.Partition}}' RETURNING generation, through_lsn, as_of)
        INSERT INTO cdc.checkpoints AS c (partition, generation, through_lsn, as_of, owner_token, passed_until, next_offset)
        SELECT p.name, w.generation, w.through_lsn, w.as_of, gen_random_uuid(), p.until, least(greatest(k.next_offset, p.since), p.until)
        FROM whole w, unnest($1::text[], $2::bigint[], $3::bigint[]) p(name, since, until) LEFT JOIN cdc.checkpoints k ON k.partition = p.name
        ON CONFLICT (partition) DO UPDATE SET generation = EXCLUDED.generation, last_lsn = '0/0', last_ordinal = 0, last_xid = 0, last_commit_at = '-infinity',
            through_lsn = EXCLUDED.through_lsn, as_of = EXCLUDED.as_of, owner_token = EXCLUDED.owner_token, next_offset = EXCLUDED.next_offset, passed_until = EXCLUDED.passed_until, sequences = '{}', newest_session = 0, updated_at = now()
        """;

    /// <summary>$1 partitions, $2 their beginnings, $3 their ends: topics of entities that were declared since. What is in them is older.</summary>
    private const string AddSql = """
        INSERT INTO cdc.checkpoints (partition, generation, through_lsn, as_of, owner_token, next_offset, passed_until)
        SELECT p.name, s.generation, coalesce(c.through_lsn, '0/0'), coalesce(c.as_of, '-infinity'), gen_random_uuid(), p.since, p.until
        FROM cdc.source s, (SELECT min(through_lsn) AS through_lsn, min(as_of) AS as_of FROM cdc.checkpoints) c,
            unnest($1::text[], $2::bigint[], $3::bigint[]) p(name, since, until) ON CONFLICT (partition) DO NOTHING
        """;

    /// <summary>$1 vector.</summary>
    private const string HavePassedSql = """
        SELECT NOT EXISTS (SELECT FROM jsonb_each_text($1::jsonb) v LEFT JOIN cdc.checkpoints c ON c.partition = v.key
                           WHERE coalesce(c.next_offset, -1) < v.value::bigint)
        """;

    /// <summary>Opens the connection that applies: a worker that takes its partitions can find it.</summary>
    public Task<NpgsqlConnection> ConnectAsync(CancellationToken ct) => EngineConnection.OpenAsync(options, EngineRole.Apply, owner, ct);

    /// <summary>Progress is in offsets of Kafka's partitions.</summary>
    internal static Task<bool> ExistsAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement("SELECT EXISTS (SELECT FROM cdc.checkpoints WHERE next_offset IS NOT NULL)").ScalarAsync<bool>(ct);

    /// <summary>Names of the partitions that have a checkpoint.</summary>
    public static Task<List<string>> NamesAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement("SELECT partition FROM cdc.checkpoints WHERE next_offset IS NOT NULL").RowsAsync(row => row.GetString(0), ct);

    /// <summary>A capture session begins: exactly these partitions have a checkpoint.</summary>
    /// <param name="extents">By partition, what is in it.</param>
    /// <param name="require">Throws where the partitions that had a checkpoint do not fit.</param>
    internal static async Task PrepareAsync(
        NpgsqlConnection connection,
        IReadOnlyDictionary<string, LogExtent> extents,
        Action<IReadOnlyCollection<string>> require,
        CancellationToken ct
    )
    {
        string[] names = [.. extents.Keys];
        long[] begins = [.. extents.Values.Select(e => e.Begin)];
        long[] ends = [.. extents.Values.Select(e => e.End)];
        await connection.Statement(BeginGenerationSql, names, begins, ends).ExecuteAsync(ct);
        require(await NamesAsync(connection, ct));
        await connection.Statement(AddSql, names, begins, ends).ExecuteAsync(ct);
        // Those of entities that are not declared any more would hold everything back.
        await connection.Statement("DELETE FROM cdc.checkpoints WHERE NOT partition = ANY($1)", (object)names).ExecuteAsync(ct);
    }

    /// <summary>A generation has begun, and the capture has not said yet where its partitions begin.</summary>
    public static Task<bool> IsBeginningAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement($"SELECT {IsBeginningSql}").ScalarAsync<bool>(ct);

    /// <summary>Every partition has applied what lies below the vector.</summary>
    internal static async Task<bool> HavePassedAsync(
        NpgsqlConnection connection,
        IReadOnlyDictionary<string, long> vector,
        CancellationToken ct
    )
    {
        var command = connection.Statement(HavePassedSql, Core.Progress.LogVector.ToJson(vector));
        await command.PrepareAsync(ct);
        return await command.ScalarAsync<bool>(ct);
    }

    /// <summary>
    /// Of each partition the newest capture session that it has met, locked until COMMIT: none meets a newer one meanwhile.
    /// </summary>
    internal static Task<List<(string Partition, long Session)>> LockSessionsAsync(
        NpgsqlConnection connection,
        IEnumerable<string> partitions,
        CancellationToken ct
    ) =>
        connection
            .Statement(
                "SELECT partition, next_offset, newest_session FROM cdc.checkpoints WHERE partition = ANY($1) ORDER BY partition COLLATE \"C\" FOR SHARE",
                (object)partitions.ToArray()
            )
            .RowsAsync(row => (row.GetString(0), row.GetInt64(2)), ct);

    /// <summary>Makes this owner the one whose compare-and-set succeeds. The one that had them before fails at its next commit.</summary>
    /// <exception cref="CdcException">Unavailable: the capture has not begun with a partition yet.</exception>
    public async Task<IReadOnlyList<PartitionRecord>> TakeAsync(IReadOnlyList<string> partitions, CancellationToken ct)
    {
        await using var connection = await EngineConnection.OpenAsync(options, EngineRole.Assign, ct);
        await connection.Statement("SET lock_timeout = '3s'").ExecuteAsync(ct);
        string[] names = [.. partitions];
        try
        {
            return await TakeAsync(connection, names, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await connection.Statement(EndOwnersSql, (object)names).ExecuteAsync(ct);
            return await TakeAsync(connection, names, ct);
        }
    }

    /// <summary>In the engine transaction that carries the rows, with what it announces.</summary>
    /// <exception cref="FencedException">One of them is not where this owner left it.</exception>
    public async Task MoveAsync(
        NpgsqlConnection connection,
        IReadOnlyList<IPartitionProgress> moved,
        int generation,
        IEnumerable<(string Channel, string Notice)> notices,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Move(moved, generation) } };
        foreach (var notice in notices)
            batch.BatchCommands.Add(CheckpointTable.Announce(notice));
        await batch.PrepareAsync(ct);
        await batch.ExecuteNonQueryAsync(ct);
        if (batch.BatchCommands[0].RecordsAffected != moved.Count)
            throw new FencedException($"Another process applies one of {string.Join(", ", moved.Select(m => m.Name))}.");
    }

    /// <summary>Partitions to which nothing comes are through too, when they have passed the vector.</summary>
    public async Task ReachAsync(NpgsqlConnection connection, IEnumerable<IPartitionProgress> owned, CancellationToken ct)
    {
        await using var command = connection.Statement(ReachSql, owner, owned.Select(p => p.Name).ToArray());
        await command.PrepareAsync(ct);
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<IReadOnlyList<PartitionRecord>> TakeAsync(NpgsqlConnection connection, string[] names, CancellationToken ct)
    {
        var taken = await connection.Statement(TakeSql, owner, names).RowsAsync(Read, ct);
        var found = taken.ToDictionary(t => t.Name);
        if (names.FirstOrDefault(n => !found.ContainsKey(n)) is { } missing)
            throw new CdcException(
                FailureKind.Unavailable,
                $"The engine has no checkpoint of {missing} in this generation yet.",
                "Start 'cdc capture' (or 'cdc run'): it makes them when it begins."
            );
        return [.. names.Select(n => found[n])];
    }

    private static PartitionRecord Read(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            row.GetInt64(1),
            row.GetInt64(2),
            new ChangePosition(row.GetInt32(3), row.Lsn(4), row.GetInt64(5)),
            row.GetFieldValue<long[]>(6).Chunk(2).Select(pair => (pair[0], pair[1]))
        );

    private NpgsqlBatchCommand Move(IReadOnlyList<IPartitionProgress> moved, int generation) =>
        Statements.BatchStatement(
            MoveSql,
            owner,
            generation,
            Array(moved, m => m.Name),
            Array(moved, m => m.Committed),
            Array(moved, m => m.Next),
            Array(moved, m => m.Last.CommitLsn.ToString()),
            Array(moved, m => m.Last.Ordinal),
            new NpgsqlParameter
            {
                Value = moved.Select(m => m.LastCommitMicros is { } micros ? PostgresTime.FromMicros(micros) : (DateTime?)null).ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            },
            // An array of arrays must be rectangular: as text it need not.
            Array(moved, m => $"{{{string.Join(',', m.Sequences)}}}"),
            Array(moved, m => m.NewestSession)
        );

    private static T[] Array<T>(IReadOnlyList<IPartitionProgress> moved, Func<IPartitionProgress, T> value) => [.. moved.Select(value)];
}
