using System.Globalization;
using Cdc.Tests.Support.Postgres;
using Npgsql;

namespace Cdc.Tests.Support.Odoo;

/// <summary>All that an Odoo had at one time: rows and sequences, in a schema of their own beside it.</summary>
public sealed class OdooBackup
{
    private static int _taken;

    private readonly TestDatabase _odoo;
    private readonly string _schema;
    private readonly Dictionary<string, List<(string Name, string Type)>> _columns;
    private readonly List<string> _sequences;

    private OdooBackup(
        TestDatabase odoo,
        string schema,
        Dictionary<string, List<(string Name, string Type)>> columns,
        List<string> sequences
    ) => (_odoo, _schema, _columns, _sequences) = (odoo, schema, columns, sequences);

    internal static async Task<OdooBackup> TakeAsync(TestDatabase odoo, CancellationToken ct)
    {
        var schema = string.Create(CultureInfo.InvariantCulture, $"backup_{Interlocked.Increment(ref _taken)}");
        var columns = await ColumnsAsync(odoo, ct);
        var sequences = await odoo.RowsAsync(
            "SELECT format('SELECT setval(%L, %s, %L)', 'public.' || quote_ident(sequencename), coalesce(last_value, start_value), last_value IS NOT NULL) FROM pg_sequences WHERE schemaname = 'public'",
            ct
        );
        // One moment of all tables.
        var copies = columns.Keys.Select(t => $"CREATE TABLE {schema}.\"{t}\" AS TABLE public.\"{t}\";");
        await odoo.ExecuteAsync($"BEGIN ISOLATION LEVEL REPEATABLE READ; CREATE SCHEMA {schema}; {string.Concat(copies)} COMMIT", ct);
        return new OdooBackup(odoo, schema, columns, [.. sequences]);
    }

    /// <summary>The database is again what it was. Fields that were made since are gone, those that were removed are back.</summary>
    /// <param name="otherUuid">As Odoo's database manager restores a copy: the database gets another <c>database.uuid</c>.</param>
    public async Task RestoreAsync(CancellationToken ct, bool otherUuid = false)
    {
        var now = await ColumnsAsync(_odoo, ct);
        var sql = new List<string> { "BEGIN", "SET LOCAL session_replication_role = replica" };
        foreach (var (table, columns) in _columns)
        {
            foreach (var (name, _) in now[table].Except(columns))
                sql.Add($"ALTER TABLE public.\"{table}\" DROP COLUMN \"{name}\" CASCADE");
            foreach (var (name, type) in columns.Except(now[table]))
                sql.Add($"ALTER TABLE public.\"{table}\" ADD COLUMN \"{name}\" {type}");
        }
        sql.Add($"TRUNCATE {string.Join(", ", _columns.Keys.Select(t => $"public.\"{t}\""))}");
        foreach (var (table, columns) in _columns)
        {
            var names = string.Join(", ", columns.Select(c => $"\"{c.Name}\""));
            sql.Add($"INSERT INTO public.\"{table}\" ({names}) SELECT {names} FROM {_schema}.\"{table}\"");
        }
        sql.AddRange(_sequences);
        if (otherUuid)
            sql.Add("UPDATE public.ir_config_parameter SET value = gen_random_uuid()::text WHERE key = 'database.uuid'");
        sql.Add("COMMIT");
        await using var connection = await _odoo.DataSource.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(string.Join(";\n", sql), connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<Dictionary<string, List<(string Name, string Type)>>> ColumnsAsync(TestDatabase odoo, CancellationToken ct) =>
        (
            await odoo.RowsAsync(
                """
                SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
                FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum
                """,
                ct
            )
        ).Select(r => r.Split('|')).GroupBy(r => r[0]).ToDictionary(g => g.Key, g => g.Select(r => (r[1], r[2])).ToList());
}
