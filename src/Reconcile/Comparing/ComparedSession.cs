using System.Globalization;
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

    // float8 is 701 in PostgreSQL's pg_type.dat.
    private const string DoublesSql = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND atttypid = 701";

    private const string EstimateSql = "SELECT reltuples::float8 FROM pg_class WHERE oid = $1::regclass";

    public static async Task PrepareAsync(NpgsqlConnection connection, TimeSpan statementTimeout, CancellationToken ct)
    {
        var timeout = string.Create(CultureInfo.InvariantCulture, $"; SET LOCAL statement_timeout = {(long)statementTimeout.TotalMilliseconds}");
        await using var command = new NpgsqlCommand(Settings + timeout, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Columns of type double precision.</summary>
    public static async Task<IReadOnlySet<string>> DoublesAsync(NpgsqlConnection connection, string table, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(DoublesSql, connection) { Parameters = { new() { Value = table } } };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var names = new HashSet<string>();
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) names.Add(reader.GetString(0));
        return names;
    }

    /// <summary>Rows as the server's statistics have them; below 0 where they have nothing.</summary>
    public static async Task<double> EstimateAsync(NpgsqlConnection connection, string table, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(EstimateSql, connection) { Parameters = { new() { Value = table } } };
        return (double)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!;
    }

    /// <summary>Position of the last change that the engine has applied.</summary>
    public static async Task<string?> LastChangeAsync(NpgsqlConnection engine, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT string_agg(partition || ' ' || last_lsn || ' ' || last_ordinal, ', ' ORDER BY partition) FROM cdc.checkpoints", engine);
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
    }
}
