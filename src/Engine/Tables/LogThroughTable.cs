using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Engine.Tables;

/// <summary>cdc.log_throughs: over Kafka, up to which vector of offsets the log has all commits below an LSN.</summary>
internal static class LogThroughTable
{
    /// <summary>
    /// $1 generation, $2 LSN, $3 vector, $4 time or NULL. Those that every partition has passed are of no use any more; while Apply is far
    /// behind, the newest one is replaced, so that they stay few.
    /// </summary>
    private const string AddSql = """
        WITH passed AS (
            DELETE FROM cdc.log_throughs WHERE generation < $1 OR (generation = $1 AND through_lsn < (SELECT min(through_lsn) FROM cdc.checkpoints))),
        replaced AS (
            DELETE FROM cdc.log_throughs WHERE through_lsn = (SELECT max(through_lsn) FROM cdc.log_throughs WHERE generation = $1)
                AND generation = $1 AND (SELECT count(*) FROM cdc.log_throughs) >= 100)
        INSERT INTO cdc.log_throughs (generation, through_lsn, vector, as_of) VALUES ($1, $2, $3::jsonb, $4) ON CONFLICT DO NOTHING
        """;

    /// <param name="vector">Everything that <paramref name="progress"/> covers lies below it.</param>
    public static async Task AddAsync(
        NpgsqlConnection connection,
        int generation,
        LogProgress progress,
        IReadOnlyDictionary<string, long> vector,
        CancellationToken ct
    )
    {
        await using var command = connection.Statement(
            AddSql,
            generation,
            progress.Through,
            new NpgsqlParameter { Value = LogVector.ToJson(vector), NpgsqlDbType = NpgsqlDbType.Text },
            new NpgsqlParameter
            {
                Value = progress.AsOfMicros is { } micros ? PostgresTime.FromMicros(micros) : DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.TimestampTz,
            }
        );
        await command.PrepareAsync(ct);
        await command.ExecuteNonQueryAsync(ct);
    }
}
