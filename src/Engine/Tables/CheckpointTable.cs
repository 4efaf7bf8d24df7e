using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Core.Snapshots;
using Cdc.Engine.Snapshots;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>How far the engine is. Moves only by compare-and-set, in the transaction of the rows.</summary>
/// <param name="Last">Position of the last applied change.</param>
/// <param name="LastTransaction">Its transaction; null if none was applied in this generation.</param>
/// <param name="AsOf">All commits that had returned by then, by the source's clock, are applied; null: no heartbeat came yet.</param>
public sealed record Checkpoint(ChangePosition Last, SourceTransaction? LastTransaction, Lsn Through, DateTime? AsOf);

/// <summary>cdc.checkpoints, for the one partition that the in-process log has.</summary>
public sealed class CheckpointTable(Guid owner) : IChunkOwner
{
    public const string Partition = "all";

    /// <summary>The owner fails at its next commit.</summary>
    internal const string DisownSql = "UPDATE cdc.checkpoints SET owner_token = gen_random_uuid()";

    /// <summary>$1 where the slot stands.</summary>
    internal const string BeginGenerationSql = """
        INSERT INTO cdc.checkpoints (partition, generation, through_lsn, owner_token) SELECT 'all', generation, $1, gen_random_uuid() FROM cdc.source
        ON CONFLICT (partition) DO UPDATE SET generation = EXCLUDED.generation, last_lsn = '0/0', last_ordinal = 0, last_xid = 0,
            last_commit_at = '-infinity', as_of = '-infinity', through_lsn = EXCLUDED.through_lsn, owner_token = EXCLUDED.owner_token, updated_at = now()
        """;

    private const string TakeSql = """
        UPDATE cdc.checkpoints SET owner_token = $1, updated_at = now() WHERE partition = 'all'
        RETURNING generation, last_lsn, last_ordinal, last_xid, last_commit_at, through_lsn, NULLIF(as_of, '-infinity')
        """;

    private const string MoveSql = """
        UPDATE cdc.checkpoints SET generation = $1, last_lsn = $2, last_ordinal = $3, last_xid = $4, last_commit_at = $5, through_lsn = $6, as_of = $12, updated_at = now()
        WHERE partition = 'all' AND owner_token = $7 AND generation = $8 AND last_lsn = $9 AND last_ordinal = $10 AND through_lsn = $11
        """;

    /// <summary>Fails where it does not move: there is nobody to look at a count before what it travels with is committed.</summary>
    private const string MoveOrFailSql = $"WITH moved AS ({MoveSql} RETURNING 1) SELECT 1 / count(*) FROM moved";

    private Checkpoint? _committed;

    /// <summary>What the engine has, as far as this owner knows. Safe for concurrent use.</summary>
    public Checkpoint Committed =>
        Volatile.Read(ref _committed) ?? throw new InvalidOperationException("The checkpoint was not taken yet.");

    /// <summary>Makes this owner the one whose compare-and-set succeeds. The previous owner fails at its next commit.</summary>
    public async Task<Checkpoint> TakeAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = connection.Statement(TakeSql, owner);
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            throw new CdcException(
                FailureKind.Migration,
                "cdc.checkpoints has no row for the in-process log: "
                    + "the engine was not set up to its end, or follows its source over Kafka.",
                "Set Log:Kind to Kafka again, or run 'cdc slot reset'."
            );
        var xid = (ulong)reader.GetInt64(3);
        var last = new ChangePosition(reader.GetInt32(0), reader.Lsn(1), reader.GetInt64(2));
        var transaction =
            xid == 0 ? null : new SourceTransaction(xid, last.CommitLsn, PostgresTime.ToMicros(reader.GetFieldValue<DateTime>(4)));
        var taken = new Checkpoint(last, transaction, reader.Lsn(5), reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTime>(6));
        SetCommitted(taken);
        return taken;
    }

    /// <summary>From where it is committed, in the engine transaction that carries the rows, with what that announces.</summary>
    /// <exception cref="FencedException">It is not where this owner left it.</exception>
    public async Task MoveAsync(
        NpgsqlConnection connection,
        Checkpoint to,
        IEnumerable<(string Channel, string Notice)> notices,
        CancellationToken ct
    )
    {
        var from = Committed;
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Move(MoveSql, from, to) } };
        foreach (var notice in notices)
            batch.BatchCommands.Add(Announce(notice));
        await batch.PrepareAsync(ct);
        await batch.ExecuteNonQueryAsync(ct);
        if (batch.BatchCommands[0].RecordsAffected != 1)
            throw Fenced(from);
    }

    /// <summary>
    /// The same as statements that come last in a batch which is a transaction of its own. Where the checkpoint is not where this owner
    /// left it, the first of them fails: <see cref="FencedBy"/>.
    /// </summary>
    public IEnumerable<NpgsqlBatchCommand> MoveOrFail(Checkpoint to, IEnumerable<(string Channel, string Notice)> notices) =>
        [Move(MoveOrFailSql, Committed, to), .. notices.Select(Announce)];

    /// <summary>What a failure of <see cref="MoveOrFail"/> means; null: it is another failure.</summary>
    public FencedException? FencedBy(PostgresException e) =>
        e.SqlState == PostgresErrorCodes.DivisionByZero && e.BatchCommand?.CommandText == MoveOrFailSql ? Fenced(Committed) : null;

    /// <summary>The transaction that moved it is committed.</summary>
    public void SetCommitted(Checkpoint checkpoint) => Volatile.Write(ref _committed, checkpoint);

    /// <summary>Announces in the open transaction. Nothing is said where there are none.</summary>
    public static async Task AnnounceAsync(
        NpgsqlConnection connection,
        IReadOnlyCollection<(string Channel, string Notice)> notices,
        CancellationToken ct
    )
    {
        if (notices.Count == 0)
            return;
        await using var batch = new NpgsqlBatch(connection);
        foreach (var notice in notices)
            batch.BatchCommands.Add(Announce(notice));
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Delivered when the transaction commits, in the order of commits. Without a listener it is a lock that is free: a NOTIFY costs a
    /// commit some 50 microseconds (seen), with or without a listener. The last statement before COMMIT, or a listener that begins waits
    /// longer.
    /// </summary>
    internal static NpgsqlBatchCommand Announce((string Channel, string Notice) notice) =>
        Statements.BatchStatement(
            $"SELECT pg_notify($1, $2) WHERE NOT pg_try_advisory_xact_lock({AdvisoryLocks.Listeners})",
            notice.Channel,
            notice.Notice
        );

    private static FencedException Fenced(Checkpoint from) =>
        new($"The checkpoint is not at {from.Last} any more: another process applies to this engine.");

    private NpgsqlBatchCommand Move(string sql, Checkpoint from, Checkpoint to) =>
        Statements.BatchStatement(
            sql,
            to.Last.Generation,
            to.Last.CommitLsn,
            to.Last.Ordinal,
            (long)(to.LastTransaction?.Xid ?? 0),
            Time(to.LastTransaction?.CommitTime),
            to.Through,
            owner,
            from.Last.Generation,
            from.Last.CommitLsn,
            from.Last.Ordinal,
            from.Through,
            Time(to.AsOf)
        );

    /// <summary>None is -infinity.</summary>
    private static NpgsqlParameter Time(DateTime? time) =>
        new()
        {
            Value = time ?? DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc),
            NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz,
        };

    /// <summary>Held until COMMIT: a load beside the stream counts only while this owner is the one.</summary>
    public async Task AssertOwnedAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct)
    {
        await using var command = connection.Statement(
            "SELECT FROM cdc.checkpoints WHERE partition = 'all' AND owner_token = $1 FOR SHARE",
            owner
        );
        await using var reader = await command.ExecuteReaderAsync(ct);
        if (!await reader.ReadAsync(ct))
            throw new FencedException("Another process applies to this engine.");
    }
}
