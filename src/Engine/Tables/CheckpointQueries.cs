using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>cdc.checkpoints for readers of the engine's progress.</summary>
public static class CheckpointQueries
{
    private const string ThroughSql = "SELECT min(through_lsn)::text FROM cdc.checkpoints";

    private const string LastChangeSql =
        "SELECT string_agg(partition || ' ' || last_lsn || ' ' || last_ordinal, ', ' ORDER BY partition) FROM cdc.checkpoints";

    /// <summary>Everything that starts below it is applied; null: nothing was yet.</summary>
    public static async Task<Lsn?> ThroughAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement(ThroughSql).RowsAsync(row => row.Get<string>(0), ct)).Single() is { } lsn ? Lsn.Parse(lsn) : null;

    /// <summary>Position of the last change that the engine has applied, as text; null: none was yet.</summary>
    public static async Task<string?> LastChangeAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement(LastChangeSql).RowsAsync(row => row.Get<string>(0), ct)).Single();
}
