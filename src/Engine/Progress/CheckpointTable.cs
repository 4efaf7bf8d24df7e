using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Core.Progress;
using Cdc.Core.Snapshots;
using Cdc.Engine.Snapshots;
using Npgsql;

namespace Cdc.Engine.Progress;

/// <summary>How far the engine is. Moves only by compare-and-set, in the transaction of the rows.</summary>
/// <param name="Last">Position of the last applied change.</param>
/// <param name="LastTransaction">Its transaction; null if none was applied in this generation.</param>
/// <param name="AsOf">All commits that had returned by then, by the source's clock, are applied; null: no heartbeat has told yet.</param>
public sealed record Checkpoint(ChangePosition Last, SourceTransaction? LastTransaction, Lsn Through, DateTime? AsOf);

/// <summary>cdc.checkpoints, for the one partition that the in-process log has.</summary>
public sealed class CheckpointTable(Guid owner) : IChunkOwner
{
    public const string Partition = "all";

    private const string TakeSql = """
        UPDATE cdc.checkpoints SET owner_token = $1, updated_at = now() WHERE partition = 'all'
        RETURNING generation, last_lsn, last_ordinal, last_xid, last_commit_at, through_lsn, NULLIF(as_of, '-infinity')
        """;

    private const string MoveSql = """
        UPDATE cdc.checkpoints SET generation = $1, last_lsn = $2, last_ordinal = $3, last_xid = $4, last_commit_at = $5, through_lsn = $6, as_of = $12, updated_at = now()
        WHERE partition = 'all' AND owner_token = $7 AND generation = $8 AND last_lsn = $9 AND last_ordinal = $10 AND through_lsn = $11
        """;

    /// <summary>Makes this owner the one whose compare-and-set succeeds. Whoever had it before fails at its next commit.</summary>
    public async Task<Checkpoint> TakeAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(TakeSql, connection) { Parameters = { new() { Value = owner } } };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await reader.ReadAsync(ct).ConfigureAwait(false))
            throw new CdcException(
                FailureKind.Migration,
                "cdc.checkpoints has no row for the in-process log: the engine was not set up to its end, or follows its source over Kafka.",
                "Set Log:Kind to Kafka again, or run 'cdc slot reset'."
            );
        var xid = (ulong)reader.GetInt64(3);
        var last = new ChangePosition(reader.GetInt32(0), reader.Lsn(1), reader.GetInt64(2));
        var transaction =
            xid == 0 ? null : new SourceTransaction(xid, last.CommitLsn, PostgresTime.ToMicros(reader.GetFieldValue<DateTime>(4)));
        return new Checkpoint(last, transaction, reader.Lsn(5), reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTime>(6));
    }

    /// <summary>In the engine transaction that carries the rows, with what it announces.</summary>
    /// <exception cref="FencedException">It is not where this owner left it.</exception>
    public async Task MoveAsync(
        NpgsqlConnection connection,
        Checkpoint from,
        Checkpoint to,
        IEnumerable<(string Channel, string Notice)> notices,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Move(from, to) } };
        foreach (var notice in notices)
            batch.BatchCommands.Add(Announce(notice));
        await batch.PrepareAsync(ct).ConfigureAwait(false);
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        if (batch.BatchCommands[0].RecordsAffected != 1)
            throw new FencedException($"The checkpoint is not at {from.Last} any more: another process applies to this engine.");
    }

    /// <summary>
    /// Delivered when the transaction commits, in the order of commits. Where nobody listens it is a lock that is free: a NOTIFY costs a commit
    /// some 50 microseconds (seen), whether or not anybody hears it. The last statement before COMMIT, or a listener that begins waits longer.
    /// </summary>
    public static NpgsqlBatchCommand Announce((string Channel, string Notice) notice) =>
        new($"SELECT pg_notify($1, $2) WHERE NOT pg_try_advisory_xact_lock({ChangeNotice.ListenerLock})")
        {
            Parameters =
            {
                new() { Value = notice.Channel },
                new() { Value = notice.Notice },
            },
        };

    private NpgsqlBatchCommand Move(Checkpoint from, Checkpoint to) =>
        new(MoveSql)
        {
            Parameters =
            {
                new() { Value = to.Last.Generation },
                Statements.Parameter(to.Last.CommitLsn),
                new() { Value = to.Last.Ordinal },
                new() { Value = (long)(to.LastTransaction?.Xid ?? 0) },
                Time(to.LastTransaction?.CommitTime),
                Statements.Parameter(to.Through),
                new() { Value = owner },
                new() { Value = from.Last.Generation },
                Statements.Parameter(from.Last.CommitLsn),
                new() { Value = from.Last.Ordinal },
                Statements.Parameter(from.Through),
                Time(to.AsOf),
            },
        };

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
        await using var command = new NpgsqlCommand(
            "SELECT FROM cdc.checkpoints WHERE partition = 'all' AND owner_token = $1 FOR SHARE",
            connection
        )
        {
            Parameters = { new() { Value = owner } },
        };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        if (!await reader.ReadAsync(ct).ConfigureAwait(false))
            throw new FencedException("Another process applies to this engine.");
    }
}
