using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Engine.Tables;

/// <summary>
/// cdc.source_keys: of which key each number is, where keys are known by a hash (<see cref="KeyHash"/>). What was met once
/// stays until all of its table was read again.
/// </summary>
public static class SourceKeyTable
{
    /// <summary>$1 entity, all of which is to be read again.</summary>
    internal const string ReadAgainSql = "UPDATE cdc.source_keys SET stale = true WHERE entity = $1";

    /// <summary>$1 entity, $2 keys, $3 their texts.</summary>
    private const string RecordSql = """
        INSERT INTO cdc.source_keys AS k (entity, key, spelled) SELECT $1, n.key, n.spelled FROM unnest($2::bigint[], $3::bytea[]) AS n(key, spelled)
        ON CONFLICT (entity, key) DO UPDATE SET spelled = EXCLUDED.spelled, stale = false WHERE k.stale
        """;

    /// <summary>Of another transaction, which the statement before has waited for, too.</summary>
    private const string MistakenSql = """
        SELECT n.key FROM unnest($2::bigint[], $3::bytea[]) AS n(key, spelled) JOIN cdc.source_keys k ON k.entity = $1 AND k.key = n.key
        WHERE k.spelled <> n.spelled LIMIT 1
        """;

    private const string SpelledSql =
        "SELECT DISTINCT ON (key) key, spelled FROM cdc.source_keys WHERE entity = ANY($1) AND key = ANY($2) ORDER BY key";

    /// <summary>Writes down which keys are met, in the transaction that writes their rows.</summary>
    /// <param name="keys">Rising.</param>
    /// <returns>A key whose number is known as another one's; null: there is none.</returns>
    public static async Task<long?> RecordAsync(
        NpgsqlConnection connection,
        string entity,
        long[] keys,
        byte[][] spelled,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[RecordSql, MistakenSql])
            batch.BatchCommands.Add(
                Statements.BatchStatement(
                    sql,
                    entity,
                    keys,
                    new NpgsqlParameter { Value = spelled, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea }
                )
            );
        await batch.PrepareAsync(ct);
        return (long?)await batch.ExecuteScalarAsync(ct);
    }

    /// <summary>
    /// All of the entity was read: what was not met and is not there is gone. A row that the reading left out, because the stream had it, is
    /// there; and what the topics are owed must still be said in them.
    /// </summary>
    internal static async Task SettleAsync(NpgsqlConnection connection, EntityDeclaration entity, CancellationToken ct)
    {
        var forget = $"""
            DELETE FROM cdc.source_keys k WHERE k.entity = $1 AND k.stale
              AND NOT EXISTS (SELECT FROM {entity.EngineName} t WHERE t.{Sql.Identifier(entity.EngineKey)} = k.key)
              AND NOT EXISTS (SELECT FROM cdc.quarantine q WHERE q.entity = k.entity AND q.key = k.key)
              AND NOT EXISTS (SELECT FROM cdc.rereads r WHERE r.entity = k.entity AND r.key = k.key)
              AND NOT EXISTS (SELECT FROM cdc.owed_deletes o WHERE o.entity = k.entity AND o.key = k.key)
            """;
        await connection.Statement(forget, entity.Name).ExecuteAsync(ct);
        await connection.Statement("UPDATE cdc.source_keys SET stale = false WHERE entity = $1 AND stale", entity.Name).ExecuteAsync(ct);
    }

    /// <summary>What the numbers stand for; those that are not known are left out.</summary>
    /// <param name="entities">That read one source table.</param>
    internal static async Task<Dictionary<long, byte[]>> SpelledAsync(
        NpgsqlConnection connection,
        string[] entities,
        long[] keys,
        CancellationToken ct
    ) =>
        (
            await connection.Statement(SpelledSql, entities, keys).RowsAsync(r => (r.GetInt64(0), r.GetFieldValue<byte[]>(1)), ct)
        ).ToDictionary();
}
