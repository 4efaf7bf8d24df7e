using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Tables;

/// <summary>About how many rows a table has: for progress alone.</summary>
internal static class TableEstimate
{
    /// <summary>Pages below which a table is counted rather than estimated.</summary>
    private const int SmallPages = 1024;

    private const string SizeSql = """
        SELECT reltuples, relpages, coalesce(pg_relation_size(oid) / current_setting('block_size')::int, 0) FROM pg_class WHERE oid = $1
        """;

    /// <summary>From the statistics, scaled to the present size; counted where there are none or the table is small.</summary>
    public static async Task<long> ReadAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        CatalogTable table,
        CancellationToken ct
    )
    {
        if (table.Kind != 'r')
            return 0;
        var found = await connection
            .Statement(SizeSql, table.Oid)
            .RowsAsync(row => (Tuples: row.GetFloat(0), AnalyzedPages: row.GetInt32(1), Pages: row.GetInt64(2)), ct);
        if (found is not [var size])
            return 0;
        if (size.Pages >= SmallPages && size.Tuples >= 0 && size.AnalyzedPages > 0)
            // As the planner does it: density when last analyzed, times pages now.
            return (long)(size.Tuples / (double)size.AnalyzedPages * size.Pages);
        return table.Rights is { MayUseSchema: true, MaySelect: true, HidesRows: false }
            ? await connection.Statement($"SELECT count(*) FROM {entity.SourceRows}").ScalarAsync<long>(ct)
            : 0;
    }
}
