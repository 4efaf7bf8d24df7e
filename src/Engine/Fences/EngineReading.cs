using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Fences;

/// <summary>The engine's snapshot at a fence, and what it says of the pipeline and of the entity.</summary>
public sealed record EngineReading(
    SourceState State,
    int Generation,
    string SystemIdentifier,
    string Database,
    TableState? TableState,
    string? StopReason,
    long? RelationOid,
    long? FileNode,
    long? DatabaseOid
)
{
    private const string ReadSql = """
        SELECT s.state, s.generation, s.system_identifier, s.database_name, t.state, t.reason, t.relation_oid, t.relfilenode, s.database_oid
        FROM cdc.source s LEFT JOIN cdc.tables t ON t.entity = $1
        """;

    /// <summary>
    /// Asks the same once before Apply holds, so that a connection's first steps (reset, catalog, plan) are not taken while it does.
    /// </summary>
    public static Task WarmAsync(NpgsqlConnection connection, EntityDeclaration entity, CancellationToken ct) =>
        connection.Statement(ReadSql, entity.Name).ExecuteAsync(ct);

    /// <summary>Begins the transaction. Apply is holding: it must not take longer than this.</summary>
    public static async Task<EngineReading> BeginAsync(NpgsqlConnection connection, EntityDeclaration entity, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), Statements.BatchStatement(ReadSql, entity.Name) },
        };
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new EngineReading(
            States.Of<SourceState>(reader.GetString(0)),
            reader.GetInt32(1),
            reader.GetString(2),
            reader.GetString(3),
            reader.Get<string>(4) is { } table ? States.Of<TableState>(table) : null,
            reader.Get<string>(5),
            reader.Long(6),
            reader.Long(7),
            reader.Long(8)
        );
    }
}
