using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>
/// cdc.owed_deletes: over Kafka, keys that the topics have and the engine does not, and whose end is not in the topics yet. Written with the
/// delete of rows that a reading did not see (<see cref="Rows.HeldDeletesSql"/>), and with records that are passed over
/// (<see cref="OweUnknownAsync"/>). It outlives generations: nothing else knows these keys.
/// </summary>
public static class OwedTable
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
    internal static string Owe(string entity, string keys) =>
        $"INSERT INTO cdc.owed_deletes (entity, key) SELECT {entity}, key FROM {keys} ON CONFLICT DO NOTHING";

    /// <summary>
    /// Records of these keys are in the topics, and an apply passes them over, since they are of an older generation. What the engine has of
    /// them, the reading of that table will see or delete; of the others nothing but this is known.
    /// </summary>
    public static Task OweUnknownAsync(NpgsqlConnection connection, EntityDeclaration entity, IEnumerable<long> keys, CancellationToken ct)
    {
        var unknown =
            $"(SELECT k.key FROM unnest($1::bigint[]) k(key) WHERE NOT EXISTS (SELECT FROM {entity.EngineName} t WHERE t.{Sql.Identifier(entity.EngineKey)} = k.key)) unknown";
        return connection.Statement(Owe(Sql.Literal(entity.Name), unknown), (object)keys.ToArray()).ExecuteAsync(ct);
    }

    /// <summary>Of the first entity that has some.</summary>
    internal static async Task<(string Entity, HashSet<long> Keys)?> NextAsync(
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

    /// <summary>Of rows that the engine has again the topic has the record that brought them.</summary>
    /// <returns>Their keys.</returns>
    internal static async Task<IReadOnlyList<long>> ForgetKnownAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        IEnumerable<long> keys,
        CancellationToken ct
    ) =>
        await connection
            .Statement(
                $"DELETE FROM cdc.owed_deletes o USING {entity.EngineName} t WHERE o.entity = $1 AND o.key = ANY($2) AND t.{Sql.Identifier(entity.EngineKey)} = o.key RETURNING o.key",
                entity.Name,
                keys.ToArray()
            )
            .RowsAsync(row => row.GetInt64(0), ct);

    /// <summary>The topic says what there was to say of these keys.</summary>
    internal static Task PayAsync(NpgsqlConnection connection, string[] entities, long[] keys, CancellationToken ct) =>
        connection.Statement(PaySql, entities, keys).ExecuteAsync(ct);
}
