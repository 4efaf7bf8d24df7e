using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Rows;

/// <summary>Keys of which the engine has no row, or no whole one, and knows it.</summary>
public static class EntryKeys
{
    private const string ReadSql = """
        SELECT key, true FROM cdc.quarantine WHERE entity = $1 AND key >= $2 AND key < $3
        UNION ALL SELECT key, false FROM cdc.rereads WHERE entity = $1 AND key >= $2 AND key < $3
        """;

    /// <param name="low">Included.</param>
    /// <param name="high">Excluded.</param>
    /// <returns>Keys in quarantine, and of rows that are read again; a key may have both.</returns>
    public static Task<List<(long Key, bool IsQuarantined)>> ReadAsync(
        NpgsqlConnection engine,
        EntityDeclaration entity,
        long low,
        long high,
        CancellationToken ct
    ) => engine.Statement(ReadSql, entity.Name, low, high).RowsAsync(row => (row.GetInt64(0), row.GetBoolean(1)), ct);
}
