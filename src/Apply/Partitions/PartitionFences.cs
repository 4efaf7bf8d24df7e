using Cdc.Core.Fences;
using Cdc.Engine;
using Npgsql;

namespace Cdc.Apply.Partitions;

/// <summary>
/// Apply's part of a fence over the Kafka log. Every partition stops at the fence's vector; whoever sees first that all have come to it tells
/// who compares, and whoever sees that it has had its time breaks it.
/// </summary>
internal sealed class PartitionFences(EngineOptions options)
{
    private const string ReachSql = $"""
        WITH moved AS (
            UPDATE cdc.fences f SET state = 'reached', reached_at = clock_timestamp()
            WHERE f.state = 'read' AND f.vector IS NOT NULL AND f.expires_at > clock_timestamp()
              AND NOT EXISTS (SELECT FROM jsonb_each_text(f.vector) v LEFT JOIN cdc.checkpoints c ON c.partition = v.key
                              WHERE coalesce(c.next_offset, -1) < v.value::bigint) RETURNING id)
        SELECT pg_notify('{FenceChannels.Answers}', id::text) FROM moved
        """;

    private const string GiveUpSql = $"""
        WITH moved AS (
            UPDATE cdc.fences SET state = 'broken', reason = '{FenceReasons.NotOpened}', ended_at = clock_timestamp(),
                detail = 'The engine''s snapshot was not open in the time that changes wait for it (Engine:FenceHoldTimeout).'
            WHERE state = 'reached' AND vector IS NOT NULL AND reached_at + $1 < clock_timestamp() RETURNING id)
        SELECT pg_notify('{FenceChannels.Answers}', id::text) FROM moved
        """;

    /// <summary>Nobody who could have told is there any more.</summary>
    private const string ExpireSql = """
        UPDATE cdc.fences SET state = 'broken', reason = 'expired', detail = 'Its time ran out while it was ' || state || '.', ended_at = clock_timestamp()
        WHERE state = 'read' AND vector IS NOT NULL AND expires_at < clock_timestamp()
        """;

    private const string OpenSql = "SELECT EXISTS (SELECT FROM cdc.fences WHERE state IN ('read', 'reached') AND vector IS NOT NULL)";

    /// <returns>True: partitions still stop at one.</returns>
    public async Task<bool> MoveAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (!await IsOpenAsync(connection, ct).ConfigureAwait(false))
            return false;
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(ReachSql),
                new(GiveUpSql) { Parameters = { new() { Value = options.FenceHoldTimeout } } },
                new(ExpireSql),
            },
        };
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        return await IsOpenAsync(connection, ct).ConfigureAwait(false);
    }

    private static async Task<bool> IsOpenAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(OpenSql, connection);
        await command.PrepareAsync(ct).ConfigureAwait(false);
        return (bool)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
    }
}
