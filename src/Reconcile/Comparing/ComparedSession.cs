using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Comparing;

/// <summary>Settings of one side's transaction, and what its catalog says.</summary>
internal static class ComparedSession
{
    // Values are written alike on both sides. Each span is a range scan of the primary key: the planner does not know how small it is. No
    // parallel workers, so that comparing takes one core and no more.
    private const string Settings = """
        SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL extra_float_digits = 1;
        SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off;
        SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_memoize = off; SET LOCAL enable_material = off
        """;

    private const string TypesSql =
        "SELECT attname::text, atttypid FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped";

    private const string EstimateSql = "SELECT reltuples::float8 FROM pg_class WHERE oid = $1::regclass";

    public static async Task PrepareAsync(NpgsqlConnection connection, TimeSpan statementTimeout, CancellationToken ct)
    {
        var timeout = string.Create(
            CultureInfo.InvariantCulture,
            $"; {TableAccess.ShortLock}; SET LOCAL statement_timeout = {(long)statementTimeout.TotalMilliseconds}"
        );
        await connection.Statement(Settings + timeout).ExecuteAsync(ct);
    }

    /// <summary>By column of the source's table, the OID of its type.</summary>
    public static async Task<IReadOnlyDictionary<string, uint>> TypesAsync(
        NpgsqlConnection source,
        EntityDeclaration entity,
        CancellationToken ct
    )
    {
        var types = await TableAccess.ReadAsync(
            Server.Source,
            entity,
            () =>
                source
                    .Statement(TypesSql, entity.SourceName)
                    .RowsAsync(row => (Name: row.GetString(0), Type: row.GetFieldValue<uint>(1)), ct)
        );
        return types.ToDictionary(t => t.Name, t => t.Type);
    }

    /// <summary>Rows as the source's statistics have them; below 0 where they have nothing.</summary>
    public static Task<double> EstimateAsync(NpgsqlConnection source, EntityDeclaration entity, CancellationToken ct) =>
        TableAccess.ReadAsync(Server.Source, entity, () => source.Statement(EstimateSql, entity.SourceName).ScalarAsync<double>(ct));
}
