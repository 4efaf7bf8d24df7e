using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Npgsql;

namespace Cdc.Reconcile.Fences;

/// <summary>The engine's snapshot, and what it says of the pipeline and of the entity.</summary>
internal sealed record EngineReading(
    string State,
    int Generation,
    string SystemIdentifier,
    string Database,
    string? TableState,
    string? StopReason,
    long? RelationOid,
    long? FileNode
)
{
    private const string ReadSql = """
        SELECT s.state, s.generation, s.system_identifier, s.database_name, t.state, t.reason, t.relation_oid, t.relfilenode
        FROM cdc.source s LEFT JOIN cdc.tables t ON t.entity = $1
        """;

    /// <summary>Asks the same once before Apply holds, so that a connection's first steps (reset, catalog, plan) are not taken while it does.</summary>
    public static async Task WarmAsync(NpgsqlConnection connection, EntityDeclaration entity, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(ReadSql, connection) { Parameters = { new() { Value = entity.Name } } };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Begins the transaction. Apply is holding: it must not take longer than this.</summary>
    public static async Task<EngineReading> BeginAsync(NpgsqlConnection connection, EntityDeclaration entity, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
                new(ReadSql) { Parameters = { new() { Value = entity.Name } } },
            },
        };
        await using var reader = await batch.ExecuteReaderAsync(ct).ConfigureAwait(false);
        await reader.ReadAsync(ct).ConfigureAwait(false);
        return new EngineReading(
            reader.GetString(0),
            reader.GetInt32(1),
            reader.GetString(2),
            reader.GetString(3),
            Text(reader, 4),
            Text(reader, 5),
            Number(reader, 6),
            Number(reader, 7)
        );
    }

    /// <summary>What makes the two snapshots incomparable, though the fence held; null if nothing.</summary>
    /// <exception cref="CdcException">Configuration: the source is not the one that the engine follows.</exception>
    public BrokenFence? Refuse(SourceReading source, EntityDeclaration entity, int generation)
    {
        RequireSameSource(source.Server);
        if (State != "streaming" || Generation != generation)
            return new BrokenFence(FenceReasons.Generation, $"A new generation begins (the engine's source is '{State}').");
        if (TableState is null or "stopped")
            return new BrokenFence(FenceReasons.Stopped, $"{entity.Name} is stopped: {StopReason ?? "the engine knows nothing of it."}");
        if (RelationOid is { } oid && (oid != source.RelationOid || FileNode != source.FileNode))
            return new BrokenFence(
                FenceReasons.Rewritten,
                $"{entity.SourceName} was rewritten, truncated or created again, and the pipeline has not noticed yet."
            );
        return null;
    }

    private void RequireSameSource(SourceServer source)
    {
        if (source.SystemIdentifier == SystemIdentifier && source.Database == Database && !source.IsStandby)
            return;
        throw new FenceException(
            FenceReasons.GivenUp,
            FailureKind.Configuration,
            source.IsStandby
                ? "Source:ConnectionString leads to a standby. What it sees lags behind the primary that the pipeline follows."
                : $"Source:ConnectionString leads to database {source.Database} of system {source.SystemIdentifier}; the engine follows {Database} of system {SystemIdentifier}.",
            "Mend Source:ConnectionString: comparisons read the primary that 'cdc run' follows."
        );
    }

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static long? Number(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);
}
