using Cdc.Core.Entities;
using Cdc.Core.Fences;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>The source's snapshot, and its table's definition in it.</summary>
/// <param name="Snapshot">pg_current_snapshot() as text.</param>
/// <param name="Server">Which database of which server it is.</param>
internal sealed record SourceReading(string Snapshot, long RelationOid, long FileNode, SourceServer Server)
{
    private const string ReadSql = """
        SELECT pg_current_snapshot()::text, c.oid::bigint, c.relfilenode::bigint, (SELECT system_identifier::text FROM pg_control_system()), current_database()::text, pg_is_in_recovery(), (SELECT oid::bigint FROM pg_database WHERE datname = current_database())
        FROM pg_class c WHERE c.oid = $1::regclass
        """;

    /// <summary>
    /// Begins the transaction. The lock comes before the snapshot: an older snapshot sees a table that was rewritten or truncated since as
    /// empty.
    /// </summary>
    /// <exception cref="PostgresException">55P03: locked by another session. 42P01, 42501: the table does not exist, or may not be
    /// read.</exception>
    public static async Task<SourceReading> BeginAsync(NpgsqlConnection connection, EntityDeclaration entity, CancellationToken ct)
    {
        await using (
            var begin = new NpgsqlCommand(
                $"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '2s'; LOCK TABLE {entity.SourceRows} IN ACCESS SHARE MODE",
                connection
            )
        )
            await begin.ExecuteNonQueryAsync(ct);
        await using var read = new NpgsqlCommand(ReadSql, connection) { Parameters = { new() { Value = entity.SourceName } } };
        await using var reader = await read.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new SourceReading(
            reader.GetString(0),
            reader.GetInt64(1),
            reader.GetInt64(2),
            new SourceServer(reader.GetString(3), reader.GetString(4), reader.GetBoolean(5), reader.GetInt64(6))
        );
    }
}

internal sealed record SourceServer(string SystemIdentifier, string Database, bool IsStandby, long DatabaseOid);
