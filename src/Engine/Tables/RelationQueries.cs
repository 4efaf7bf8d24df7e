using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>Which table of the source the engine's rows of an entity are of.</summary>
public static class RelationQueries
{
    /// <returns>Null: the entity is stopped, or the engine knows nothing of it.</returns>
    public static async Task<FollowedRelation?> FollowedAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        (
            await connection
                .Statement("SELECT relation_oid, relfilenode FROM cdc.tables WHERE entity = $1 AND state <> 'stopped'", entity)
                .RowsAsync(row => new FollowedRelation(row.Long(0), row.Long(1)), ct)
        ).SingleOrDefault();
}

/// <param name="Oid">Null: not known.</param>
/// <param name="FileNode">Another one: it was rewritten.</param>
public sealed record FollowedRelation(long? Oid, long? FileNode);
