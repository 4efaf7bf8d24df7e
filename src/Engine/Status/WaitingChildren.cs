using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Status;

/// <summary>Counts rows that stay hidden, because their parent could not be applied.</summary>
internal static class WaitingChildren
{
    public static async Task<long> CountAsync(
        NpgsqlConnection connection,
        EntitySet entities,
        EntityDeclaration child,
        CancellationToken ct
    )
    {
        long waiting = 0;
        foreach (var reference in child.Parents)
            if (entities.Find(reference.Entity) is { } parent && await BothExistAsync(connection, child, parent, ct))
                waiting += (
                    await connection.Statement(CountSql(child, reference, parent), [parent.Name]).RowsAsync(row => row.GetInt64(0), ct)
                ).Single();
        return waiting;
    }

    private static async Task<bool> BothExistAsync(
        NpgsqlConnection connection,
        EntityDeclaration child,
        EntityDeclaration parent,
        CancellationToken ct
    ) =>
        (
            await connection
                .Statement("SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL", [child.EngineName, parent.EngineName])
                .RowsAsync(row => row.GetBoolean(0), ct)
        ).Single();

    // From the few parents that are missing to their children, not the other way round: children are counted in millions.
    private static string CountSql(EntityDeclaration child, ParentReference reference, EntityDeclaration parent) =>
        $"""
            SELECT count(*)
            FROM (SELECT key FROM cdc.quarantine WHERE entity = $1 UNION SELECT key FROM cdc.rereads WHERE entity = $1) missing
            JOIN {child.EngineName} c ON c.{Sql.Identifier(reference.Column)} = missing.key
            WHERE NOT EXISTS (SELECT 1 FROM {parent.EngineName} p WHERE p.{Sql.Identifier(parent.EngineKey)} = missing.key)
            """;
}
