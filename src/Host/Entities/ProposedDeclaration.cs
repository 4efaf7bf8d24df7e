using System.Text;
using System.Text.Json;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Host.Entities;

/// <summary>
/// A declaration of tables as they are, for people to read and to change: every column is there, with what it is, and what cannot be read or
/// is of no use in an engine stands in a comment.
/// </summary>
internal sealed class ProposedDeclaration(IReadOnlyList<LiveTable> tables, string? include)
{
    /// <summary>A declaration takes 64, and a person wants to add some.</summary>
    private const int MostColumns = 60;

    /// <summary>Who wrote a row last is of Odoo's own users.</summary>
    private static readonly string[] OfNoUse = ["create_uid", "write_uid", "message_main_attachment_id", "access_token"];

    /// <summary>An entity's name: the table's, without the schema that all of Odoo's have.</summary>
    public static string NameOf(LiveTable table) => table.Schema == "public" ? table.Name : $"{table.Schema}_{table.Name}";

    public string Write()
    {
        var text = new StringBuilder();
        text.AppendLine(
                "// Proposed by 'cdc entities propose' from the tables as they were. Take out what the engine does not need, and give columns the"
            )
            .AppendLine(
                "// names and types that it wants: what may be written here is in docs/declaration.md. Then: cdc migrate --plan, cdc check."
            )
            .AppendLine("{");
        if (include is not null)
            text.AppendLine($"  \"include\": {Text(include)},");
        text.AppendLine("  \"entities\": [");
        foreach (var table in tables)
            Write(text, table);
        return text.AppendLine("  ],").AppendLine("}").ToString();
    }

    private static void Write(StringBuilder text, LiveTable table)
    {
        var name = NameOf(table);
        var read = table.Columns.Where(c => WhyNot(c) is null).OrderByDescending(c => c.IsKey).Take(MostColumns).ToList();
        text.AppendLine("    {")
            .AppendLine($"      \"name\": {Text(name)},")
            .AppendLine("      \"source\": {")
            .AppendLine($"        \"table\": {Text($"{table.Schema}.{table.Name}")},")
            .AppendLine($"        \"key\": {table.ProposedKey},{Comment(KeyRemark(table))}")
            .AppendLine("        \"columns\": {");
        foreach (var column in table.Columns)
        {
            var why = WhyNot(column) ?? (read.Contains(column) ? null : $"one of more than {MostColumns}");
            var word = SourceTypes.DeclaredAs(column.TypeOid)?.ToString().ToLowerInvariant() ?? column.TypeName;
            text.AppendLine($"          {(why is null ? "" : "// ")}{Text(column.Name)}: {Text(word)},{Comment(why ?? Remark(column))}");
        }
        text.AppendLine("        },")
            .AppendLine("      },")
            .AppendLine("      \"engine\": {")
            .AppendLine($"        \"table\": {Text($"public.odoo_{name}")},")
            .AppendLine("        \"key\": \"id\",")
            .AppendLine("        \"columns\": [");
        // The number of another key says nothing to a reader: its columns stand beside it.
        foreach (var column in read.Where(c => !c.IsKey || !HasId(table)))
            if (Engine(column, table) is var (type, value))
                text.AppendLine(
                    $"          {{ \"name\": {Text(EngineName(column))}, \"type\": {Text(type)}, \"value\": {Text(value)} }},{Comment(EngineRemark(column))}"
                );
        text.AppendLine("        ],").AppendLine("      },").AppendLine("    },");
    }

    private static bool HasId(LiveTable table) => table.ProposedKey is ['"', ..];

    private static string? KeyRemark(LiveTable table) =>
        table.ProposedKey is ['{', ..] ? "each chunk and slice reads all of the table: docs/declaration.md" : null;

    /// <summary>Null: it is declared.</summary>
    private static string? WhyNot(LiveColumn column) =>
        column.IsGenerated ? "generated: the stream does not carry it"
        : SourceTypes.DeclaredAs(column.TypeOid) is null ? "no declared type reads it"
        : OfNoUse.Contains(column.Name) ? "of Odoo's own use"
        : null;

    private static string? Remark(LiveColumn column) =>
        column.RefersTo is { } other ? $"an id of {other}"
        : column.TypeOid is TypeOids.Float8 ? "double precision; numeric once its field has digits"
        : column.Content == JsonbContent.Translated ? "translated"
        : column.Content == JsonbContent.ByCompany ? "a value for each company"
        : column.TypeOid is TypeOids.Json or TypeOids.Bytea ? "carried into topics; no expression can use it"
        : null;

    private static string? EngineRemark(LiveColumn column) =>
        column.Content == JsonbContent.Translated ? "Entities:Language chooses; English is always there" : null;

    /// <summary>The engine keeps these names for itself.</summary>
    private static string EngineName(LiveColumn column) =>
        column.Name is "id" or "sync_version" || column.Name.StartsWith("source_", StringComparison.Ordinal)
            ? "odoo_" + column.Name
            : column.Name;

    /// <summary>Null: no expression can use it.</summary>
    private static (string Type, string Value)? Engine(LiveColumn column, LiveTable table)
    {
        var name = Sql.Identifier(column.Name);
        return SourceTypes.DeclaredAs(column.TypeOid) switch
        {
            SourceType.Integer => ("bigint", name),
            SourceType.Number => ("numeric", $"{name}::numeric"),
            SourceType.Text => ("text", name),
            SourceType.Uuid => ("text", $"{name}::text"),
            // Odoo's own have no default, and NULL means false.
            SourceType.Boolean => ("boolean", $"coalesce({name}, false)"),
            // Without time zone, and in UTC by Odoo's convention.
            SourceType.Timestamp => ("timestamptz", $"{name} AT TIME ZONE 'UTC'"),
            SourceType.TimestampTz => ("timestamptz", name),
            SourceType.Date => ("date", name),
            SourceType.Jsonb when column.Content == JsonbContent.Translated => (
                "text",
                $"coalesce({name} ->> '{{language}}', {name} ->> 'en_US')"
            ),
            SourceType.Jsonb when column.Content == JsonbContent.ByCompany && table.Columns.Any(c => c.Name == "company_id") => (
                "text",
                $"{name} ->> company_id::text"
            ),
            SourceType.Jsonb => ("jsonb", name),
            _ => null,
        };
    }

    private static string Comment(string? remark) => remark is null ? "" : $" // {remark}";

    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static string Text(string value) => JsonSerializer.Serialize(value, Readable);
}
