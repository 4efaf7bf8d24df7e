using Cdc.Core.Entities;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>cdc.owned_tables: tables of which rows have owners, and whether the engine is one.</summary>
public static class OwnedTable
{
    // What a card that was given back was sent is still known by its number, and is lost where Odoo is restored.
    private const string EngineOwnsSql =
        "SELECT EXISTS (SELECT FROM cdc.owned_tables WHERE engine_owns) OR EXISTS (SELECT FROM cdc.sync_log)";

    private static readonly string LockSql = $"SELECT pg_advisory_xact_lock_shared({AdvisoryLocks.Owners})";

    private const string FailSql = $"SELECT 1 / (NOT ({EngineOwnsSql}))::integer";

    /// <summary>
    /// Begins what a transaction writes of Odoo's: until it ends nobody changes an owner. Costs nothing where the declaration lets nothing flow
    /// back to Odoo.
    /// </summary>
    /// <returns>The engine owns rows, or has: statements must look at owners, and at what rows say of own changes.</returns>
    public static async Task<bool> EnterAsync(NpgsqlConnection connection, EntitySet entities, CancellationToken ct)
    {
        if (entities.Cards is null)
            return false;
        // Two statements: the second sees what was committed while the first waited.
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { new NpgsqlBatchCommand(LockSql), new NpgsqlBatchCommand(EngineOwnsSql) },
        };
        await using var reader = await batch.ExecuteReaderAsync(ct);
        await reader.NextResultAsync(ct);
        await reader.ReadAsync(ct);
        return reader.GetBoolean(0);
    }

    /// <summary>
    /// The same as statements that come first in a batch which is a transaction of its own. The last of them fails where
    /// <see cref="EnterAsync"/> is true: such rows are not written without a look at it.
    /// </summary>
    public static IEnumerable<NpgsqlBatchCommand> EnterOrFail(EntitySet entities) =>
        entities.Cards is null ? [] : [new NpgsqlBatchCommand(LockSql), new NpgsqlBatchCommand(FailSql)];
}
