using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>
/// cdc.owed_deletes: over Kafka, keys whose rows were deleted because a reading did not see them, and whose end is not in the topics yet.
/// Written with that delete (<see cref="Rows.HeldDeletesSql"/>). It outlives generations: the engine does not know these keys any more.
/// </summary>
internal static class OwedTable
{
    /// <summary>
    /// $1 at most so many, $2 entities that can be read, $3 and $4 entities and keys that are being read: of many keys every worker has a part.
    /// </summary>
    private const string NextSql = """
        SELECT o.entity, o.key FROM cdc.owed_deletes o JOIN cdc.tables t ON t.entity = o.entity
        WHERE t.state <> 'stopped' AND o.entity = ANY($2) AND NOT (o.entity, o.key) IN (SELECT * FROM unnest($3::text[], $4::bigint[]))
        ORDER BY o.entity, o.key LIMIT $1
        """;

    /// <summary>$1 entities that read one table, $2 keys.</summary>
    private const string PaySql = "DELETE FROM cdc.owed_deletes WHERE entity = ANY($1) AND key = ANY($2)";

    /// <summary>Statement that writes down the keys (<c>key</c>) of a query.</summary>
    /// <param name="entity">A literal.</param>
    public static string Owe(string entity, string keys) =>
        $"INSERT INTO cdc.owed_deletes (entity, key) SELECT {entity}, key FROM {keys} ON CONFLICT DO NOTHING";

    /// <summary>Of the first entity that has some.</summary>
    public static async Task<(string Entity, HashSet<long> Keys)?> NextAsync(
        NpgsqlConnection connection,
        int atMost,
        string[] entities,
        IReadOnlyList<(string Entity, long Key)> busy,
        CancellationToken ct
    )
    {
        string[] busyEntities = [.. busy.Select(b => b.Entity)];
        long[] busyKeys = [.. busy.Select(b => b.Key)];
        await using var command = connection.Statement(NextSql, atMost, entities, busyEntities, busyKeys);
        await command.PrepareAsync(ct);
        await using var row = await command.ExecuteReaderAsync(ct);
        (string Entity, HashSet<long> Keys)? found = null;
        while (await row.ReadAsync(ct))
        {
            found ??= (row.GetString(0), []);
            if (row.GetString(0) == found.Value.Entity)
                found.Value.Keys.Add(row.GetInt64(1));
        }
        return found;
    }

    /// <summary>The topic says what there was to say of these keys.</summary>
    public static Task PayAsync(NpgsqlConnection connection, string[] entities, long[] keys, CancellationToken ct) =>
        connection.Statement(PaySql, entities, keys).ExecuteAsync(ct);
}
