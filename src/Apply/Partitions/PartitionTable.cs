using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Engine.Progress;
using Cdc.Log.Kafka;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Apply.Partitions;

/// <summary>cdc.checkpoints, a row for each partition of the Kafka log. Moves only by compare-and-set on owner and offset, with the rows.</summary>
internal sealed class PartitionTable(EngineOptions options, Guid owner)
{
    private const string LockNotAvailable = "55P03";

    private const string KnownSql = "SELECT partition FROM cdc.checkpoints WHERE next_offset IS NOT NULL";

    private const string TakeSql = """
        UPDATE cdc.checkpoints SET owner_token = $1, updated_at = now() WHERE partition = ANY($2)
        RETURNING partition, next_offset, generation, last_lsn, last_ordinal, sequences
        """;

    /// <summary>An owner that vanished without a word would keep the lock of its open transaction for hours.</summary>
    private const string EndOwnersSql = """
        SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN cdc.checkpoints c ON a.application_name = 'cdc apply ' || c.owner_token
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

    /// <summary>Application name of the connection that applies: whoever takes its partitions can find it.</summary>
    public string Role => $"apply {owner}";

    /// <exception cref="CdcException">Preflight: a topic has another number of partitions than it has checkpoints.</exception>
    public static async Task RequireCountsAsync(NpgsqlConnection connection, LogTopics topics, CancellationToken ct)
    {
        var known = new List<string>();
        await using var command = new NpgsqlCommand(KnownSql, connection);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            known.Add(reader.GetString(0));
        PartitionCount.Require(topics, known);
    }

    /// <summary>Makes this owner the one whose compare-and-set succeeds. Whoever had them before fails at its next commit.</summary>
    /// <exception cref="CdcException">Unavailable: the capture has not begun with a partition yet.</exception>
    public async Task<IReadOnlyList<PartitionCheckpoint>> TakeAsync(IReadOnlyList<LogPartition> partitions, CancellationToken ct)
    {
        await using var connection = await EngineConnection.OpenAsync(options, "assign", ct).ConfigureAwait(false);
        await using (var patience = new NpgsqlCommand("SET lock_timeout = '3s'", connection))
            await patience.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        var names = partitions.Select(p => p.Name).ToArray();
        try
        {
            return await TakeAsync(connection, partitions, names, ct).ConfigureAwait(false);
        }
        catch (PostgresException e) when (e.SqlState == LockNotAvailable)
        {
            await using var end = new NpgsqlCommand(EndOwnersSql, connection) { Parameters = { new() { Value = names } } };
            await end.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            return await TakeAsync(connection, partitions, names, ct).ConfigureAwait(false);
        }
    }

    /// <summary>In the engine transaction that carries the rows, with what it announces.</summary>
    /// <exception cref="FencedException">One of them is not where this owner left it.</exception>
    public async Task MoveAsync(
        NpgsqlConnection connection,
        IReadOnlyList<PartitionCheckpoint> moved,
        int generation,
        IEnumerable<(string Channel, string Notice)> notices,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Move(moved, generation) } };
        foreach (var notice in notices)
            batch.BatchCommands.Add(CheckpointTable.Announce(notice));
        await batch.PrepareAsync(ct).ConfigureAwait(false);
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        if (batch.BatchCommands[0].RecordsAffected != moved.Count)
            throw new FencedException($"Another process applies one of {string.Join(", ", moved.Select(m => m.Partition))}.");
    }

    /// <summary>Partitions to which nothing comes are through too, when they have passed the vector.</summary>
    public async Task ReachAsync(NpgsqlConnection connection, IEnumerable<PartitionCheckpoint> owned, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(ReachSql, connection)
        {
            Parameters =
            {
                new() { Value = owner },
                new() { Value = owned.Select(p => p.Partition.Name).ToArray() },
            },
        };
        await command.PrepareAsync(ct).ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<PartitionCheckpoint>> TakeAsync(
        NpgsqlConnection connection,
        IReadOnlyList<LogPartition> partitions,
        string[] names,
        CancellationToken ct
    )
    {
        var found = new Dictionary<string, PartitionCheckpoint>();
        await using var command = new NpgsqlCommand(TakeSql, connection)
        {
            Parameters =
            {
                new() { Value = owner },
                new() { Value = names },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            var partition = partitions.Single(p => p.Name == reader.GetString(0));
            var last = new ChangePosition(reader.GetInt32(2), reader.Lsn(3), reader.GetInt64(4));
            var pairs = reader.GetFieldValue<long[]>(5).Chunk(2).Select(pair => (pair[0], pair[1]));
            found[partition.Name] = new PartitionCheckpoint(partition, reader.GetInt64(1), last, pairs);
        }
        if (names.FirstOrDefault(n => !found.ContainsKey(n)) is { } missing)
            throw new CdcException(
                FailureKind.Unavailable,
                $"The engine has no checkpoint of {missing} yet.",
                "Start 'cdc capture' (or 'cdc run'): it makes them when it begins."
            );
        return [.. names.Select(n => found[n])];
    }

    private NpgsqlBatchCommand Move(IReadOnlyList<PartitionCheckpoint> moved, int generation) =>
        new(MoveSql)
        {
            Parameters =
            {
                new() { Value = owner },
                new() { Value = generation },
                Array(moved, m => m.Partition.Name),
                Array(moved, m => m.Committed),
                Array(moved, m => m.Next),
                Array(moved, m => m.Last.CommitLsn.ToString()),
                Array(moved, m => m.Last.Ordinal),
                new()
                {
                    Value = moved
                        .Select(m => m.LastCommitMicros is { } micros ? PostgresTime.FromMicros(micros) : (DateTime?)null)
                        .ToArray(),
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
                },
                // An array of arrays must be rectangular: as text it need not.
                Array(moved, m => $"{{{string.Join(',', m.Sequences)}}}"),
                Array(moved, m => m.NewestSession),
            },
        };

    private static NpgsqlParameter Array<T>(IReadOnlyList<PartitionCheckpoint> moved, Func<PartitionCheckpoint, T> value) =>
        new() { Value = moved.Select(value).ToArray() };
}
