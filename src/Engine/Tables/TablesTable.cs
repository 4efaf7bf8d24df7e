using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Cdc.Engine.Tables;

/// <summary>What becomes of an entity's rows.</summary>
public enum TableState
{
    /// <summary>Chunks of it are still to be read.</summary>
    Loading,

    /// <summary>All of it was read; the stream goes on.</summary>
    Streaming,

    /// <summary>Its rows are not applied until its table can be read again.</summary>
    Stopped,

    /// <summary>All of it was read, and so much of it was not there that nothing is deleted until a person allows it; the stream goes on.</summary>
    Held,
}

/// <summary>An entity, as the engine remembers it.</summary>
/// <param name="Fingerprint">The shape of its source table; null if unknown.</param>
public sealed record EntityRecord(string Entity, TableState State, ulong BarrierXid, TableFingerprint? Fingerprint);

/// <summary>
/// cdc.tables, a row for each entity. Since when rows are whole is read there by the statements that ask: below it changes may have passed
/// a row by (a gap, a stop, a rewrite).
/// </summary>
internal static class TablesTable
{
    private const string LoadSql = """
        INSERT INTO cdc.tables AS t (entity, state, whole_generation, estimated_rows, relation_oid, relfilenode, columns, barrier_xid)
        SELECT $1, 'loading', generation, $2, $3, $4, $5, $6 FROM cdc.source
        ON CONFLICT (entity) DO UPDATE SET state = 'loading', reason = NULL, held_deletes = NULL, held_of = NULL, whole_generation = EXCLUDED.whole_generation, whole_lsn = '0/0',
            estimated_rows = EXCLUDED.estimated_rows, relation_oid = EXCLUDED.relation_oid, relfilenode = EXCLUDED.relfilenode,
            columns = EXCLUDED.columns, barrier_xid = EXCLUDED.barrier_xid, updated_at = now()
        """;

    /// <summary>$1 entity. Of two chunks that finish at once the second must see that the first has.</summary>
    public const string LockSql = "SELECT FROM cdc.tables WHERE entity = $1 FOR UPDATE";

    /// <summary>$1 entity, all of which is read.</summary>
    public const string LoadedSql = """
        UPDATE cdc.tables SET state = 'streaming', reason = NULL, held_deletes = NULL, held_of = NULL, updated_at = now()
        WHERE entity = $1 AND state IN ('loading', 'held')
        """;

    public static Task<List<EntityRecord>> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection
            .Statement("SELECT entity, state, barrier_xid, relation_oid, relfilenode, columns FROM cdc.tables")
            .RowsAsync(
                row =>
                {
                    var barrier = (ulong)row.GetInt64(2);
                    var fingerprint = row.IsDBNull(5)
                        ? null
                        : new TableFingerprint(row.GetInt64(3), row.GetInt64(4), row.GetString(5), barrier);
                    return new EntityRecord(row.GetString(0), States.Of<TableState>(row.GetString(1)), barrier, fingerprint);
                },
                ct
            );

    /// <summary>Entities that have a row, and whether the engine knows the shape of their table.</summary>
    public static async Task<IReadOnlyDictionary<string, bool>> KnownAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (
            await connection
                .Statement("SELECT entity, columns IS NOT NULL FROM cdc.tables")
                .RowsAsync(r => (r.GetString(0), r.GetBoolean(1)), ct)
        ).ToDictionary();

    /// <summary>All of it is to be read, once every transaction below the barrier has ended.</summary>
    public static IEnumerable<NpgsqlBatchCommand> Load(PlannedTable table, ulong barrierXid) =>
        [
            Statements.BatchStatement(
                LoadSql,
                table.Entity,
                table.EstimatedRows,
                Number(table.Fingerprint?.RelationOid),
                Number(table.Fingerprint?.FileNode),
                new NpgsqlParameter { Value = (object?)table.Fingerprint?.Columns ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                (long)barrierXid
            ),
            Statements.BatchStatement(ChunkTable.LoadSql, table.Entity),
            Statements.BatchStatement(SourceKeyTable.ReadAgainSql, table.Entity),
        ];

    public static NpgsqlBatchCommand SetFingerprint(string entity, TableFingerprint fingerprint) =>
        Statements.BatchStatement(
            "UPDATE cdc.tables SET relation_oid = $2, relfilenode = $3, columns = $4, barrier_xid = $5 WHERE entity = $1",
            entity,
            fingerprint.RelationOid,
            fingerprint.FileNode,
            fingerprint.Columns,
            (long)fingerprint.BarrierXid
        );

    public static Task StopAsync(NpgsqlConnection connection, string entity, string reason, CancellationToken ct) =>
        connection
            .Statement(
                // Stopped for another reason it has been stopped for as long as before.
                """
                UPDATE cdc.tables SET state = 'stopped', reason = $2, held_deletes = NULL, held_of = NULL,
                    updated_at = CASE state WHEN 'stopped' THEN updated_at ELSE now() END
                WHERE entity = $1
                """,
                entity,
                reason
            )
            .ExecuteAsync(ct);

    /// <summary>All of it is read again: rows are whole from <paramref name="whole"/> on.</summary>
    /// <param name="fingerprint">The table's shape now; null: as before.</param>
    public static async Task ReadAgainAsync(
        NpgsqlConnection connection,
        string entity,
        ChangePosition whole,
        TableFingerprint? fingerprint,
        CancellationToken ct
    )
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                Statements.BatchStatement(
                    "UPDATE cdc.tables SET state = 'loading', reason = NULL, held_deletes = NULL, held_of = NULL, whole_generation = $2, whole_lsn = $3, updated_at = now() WHERE entity = $1",
                    entity,
                    whole.Generation,
                    whole.CommitLsn
                ),
                Statements.BatchStatement(ChunkTable.SupersedeSql, entity),
                Statements.BatchStatement(HeldTable.SupersedeSql, entity),
                Statements.BatchStatement(SourceKeyTable.ReadAgainSql, entity),
                Statements.BatchStatement(ChunkTable.SnapshotSql, entity, whole.Generation),
            },
        };
        if (fingerprint is not null)
            batch.BatchCommands.Add(SetFingerprint(entity, fingerprint));
        await batch.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlParameter Number(long? value) =>
        new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };
}
