using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Host.Entities;

/// <summary>What a jsonb column holds in Odoo.</summary>
internal enum JsonbContent
{
    Unknown,

    /// <summary>A text in several languages: <c>{"en_US": "Points"}</c>.</summary>
    Translated,

    /// <summary>A value for each company: <c>{"3": 12.5}</c>.</summary>
    ByCompany,
}

/// <param name="TypeName">As PostgreSQL writes it.</param>
/// <param name="KeyPlace">In the primary key; null: it is not of it.</param>
/// <param name="RefersTo">The table of its foreign key; null: it has none.</param>
internal sealed record LiveColumn(string Name, uint TypeOid, string TypeName, int? KeyPlace, bool IsGenerated, string? RefersTo)
{
    public bool IsKey => KeyPlace is not null;

    public JsonbContent Content { get; init; }
}

/// <summary>A table as it is in a source's catalog now.</summary>
internal sealed record LiveTable(string Schema, string Name, IReadOnlyList<LiveColumn> Columns)
{
    private const int LookedAt = 1000;

    private const string ColumnsSql = """
        SELECT n.nspname::text, c.relname::text, c.relkind::text, a.attname::text, a.atttypid, format_type(a.atttypid, a.atttypmod),
               (SELECT array_position(i.indkey::int2[], a.attnum) FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid),
               a.attgenerated <> '',
               (SELECT f.confrelid::regclass::text FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum] LIMIT 1)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE n.nspname = $1 AND c.relname = $2 ORDER BY a.attnum
        """;

    /// <summary>In the order of its index, by which its rows are read.</summary>
    public IReadOnlyList<LiveColumn> Key => [.. Columns.Where(c => c.IsKey).OrderBy(c => c.KeyPlace)];

    /// <summary>As it is declared; null: it cannot be.</summary>
    public string? ProposedKey => KeyProposal.Of([.. Key.Select(c => (c.Name, c.TypeOid))]);

    /// <param name="written">Its name, with or without schema.</param>
    /// <exception cref="CdcException">Usage: there is no such table, or it cannot be followed.</exception>
    public static async Task<LiveTable> ReadAsync(NpgsqlConnection source, string written, CancellationToken ct)
    {
        var (schema, name) = written.Split('.') is [var s, var n] ? (s, n) : ("public", written);
        var rows = await source
            .Statement(ColumnsSql, schema, name)
            .RowsAsync(
                r =>
                    (
                        Kind: r.GetString(2)[0],
                        Column: new LiveColumn(
                            r.GetString(3),
                            r.GetFieldValue<uint>(4),
                            r.GetString(5),
                            r.IsDBNull(6) ? null : r.GetInt32(6),
                            r.GetBoolean(7),
                            r.IsDBNull(8) ? null : r.GetString(8)
                        )
                    ),
                ct
            );
        if (rows.Count == 0 || rows[0].Kind != 'r')
            throw new CdcException(
                FailureKind.Usage,
                $"There is no table {schema}.{name} in the source.",
                "Name an ordinary table: a model's name with underscores, such as res_partner for res.partner."
            );
        var table = new LiveTable(schema, name, [.. rows.Select(r => r.Column)]);
        if (table.ProposedKey is null)
            throw new CdcException(
                FailureKind.Usage,
                $"The primary key of {schema}.{name} is not of integers, texts and uuids ({Described(table.Key)}): it cannot be followed.",
                "Leave it out: Odoo's models have the key id, its many-to-many tables both of their columns."
            );
        return await table.WithContentsAsync(source, ct);
    }

    private static string Described(IReadOnlyList<LiveColumn> key) =>
        key.Count == 0 ? "it has none" : string.Join(", ", key.Select(c => $"{c.Name} {c.TypeName}"));

    private async Task<LiveTable> WithContentsAsync(NpgsqlConnection source, CancellationToken ct)
    {
        var columns = new List<LiveColumn>();
        foreach (var column in Columns)
            columns.Add(column.TypeOid == TypeOids.Jsonb ? column with { Content = await ContentAsync(source, column.Name, ct) } : column);
        return this with { Columns = columns };
    }

    /// <summary>By what is in it: what Odoo's own tables say of fields the role need not be able to read.</summary>
    private async Task<JsonbContent> ContentAsync(NpgsqlConnection source, string column, CancellationToken ct)
    {
        var name = Sql.Identifier(column);
        var rows =
            $"(SELECT {name} AS value FROM ONLY {Sql.Identifier(Schema)}.{Sql.Identifier(Name)} WHERE jsonb_typeof({name}) = 'object' AND {name} <> '{{}}' LIMIT {LookedAt}) r";
        var (any, translated, byCompany) = (
            await source
                .Statement(
                    $"SELECT count(*) > 0, bool_and(value ? 'en_US'), bool_and((SELECT bool_and(k ~ '^[0-9]+$') FROM jsonb_object_keys(value) k)) FROM {rows}"
                )
                .RowsAsync(r => (r.GetBoolean(0), !r.IsDBNull(1) && r.GetBoolean(1), !r.IsDBNull(2) && r.GetBoolean(2)), ct)
        ).Single();
        return any && translated ? JsonbContent.Translated
            : any && byCompany ? JsonbContent.ByCompany
            : JsonbContent.Unknown;
    }
}
