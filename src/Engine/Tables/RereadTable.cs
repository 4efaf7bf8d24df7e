using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>cdc.rereads: keys of which a column is not known. Written with the rows (<see cref="Rows.UpsertSql"/>).</summary>
internal static class RereadTable
{
    /// <summary>With rows of the quarantine that are to be tried again. $1 at most so many, $2 entities that must wait.</summary>
    private static readonly string NextSql = $"""
        SELECT e.kind, e.entity, e.key FROM (
            SELECT 'reread' AS kind, entity, key FROM cdc.rereads
            UNION ALL SELECT 'retry', entity, key FROM cdc.quarantine WHERE retry_requested) e
        JOIN cdc.tables t ON t.entity = e.entity WHERE t.state <> 'stopped' AND NOT e.entity = ANY($2) AND NOT {HeldTable.Holds(
            "e.entity",
            "e.key"
        )} ORDER BY e.kind, e.entity, e.key LIMIT $1
        """;

    /// <summary>$1 entity.</summary>
    private static readonly string AnyLeftSql = $"""
        SELECT EXISTS (SELECT FROM cdc.rereads e WHERE e.entity = $1 AND NOT {HeldTable.Holds("e.entity", "e.key")})
            OR EXISTS (SELECT FROM cdc.quarantine e WHERE e.entity = $1 AND e.retry_requested AND NOT {HeldTable.Holds(
            "e.entity",
            "e.key"
        )})
        """;

    /// <summary>Some keys of the entity are still to be read again.</summary>
    public static Task<bool> AnyLeftAsync(NpgsqlConnection connection, string entity, CancellationToken ct) =>
        connection.Statement(AnyLeftSql, entity).ScalarAsync<bool>(ct);

    /// <summary>Keys that are to be read again, by what for and by entity.</summary>
    public static async Task<IReadOnlyDictionary<(ChunkKind Kind, string Entity), List<long>>> NextAsync(
        NpgsqlConnection connection,
        int atMost,
        string[] waiting,
        CancellationToken ct
    )
    {
        var found = new Dictionary<(ChunkKind, string), List<long>>();
        await using var command = connection.Statement(NextSql, atMost, waiting);
        await command.PrepareAsync(ct);
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct))
        {
            var name = (row.GetString(0) == "retry" ? ChunkKind.Retry : ChunkKind.Reread, row.GetString(1));
            if (!found.TryGetValue(name, out var keys))
                found[name] = keys = [];
            keys.Add(row.GetInt64(2));
        }
        return found;
    }
}
