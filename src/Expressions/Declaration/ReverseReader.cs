using Cdc.Core.Entities;
using Cdc.Core.Postgres;

namespace Cdc.Expressions.Declaration;

/// <summary>Reads what of an entity flows back to Odoo (<c>"reverse"</c>).</summary>
internal sealed class ReverseReader(Findings findings, EntityDeclaration entity, string what, EntityLines lines)
{
    private const string Code = "declaration-reverse";

    /// <summary>As source columns: expressions are written over those.</summary>
    private readonly List<SourceColumn> _columns = [.. Readable(entity).Select((c, slot) => new SourceColumn(slot, c.Name, c.Type))];

    /// <returns>Null: nothing flows back.</returns>
    public ReverseDeclaration? Read(JsonObjectReader json)
    {
        if (json.Optional("reverse") is not { } section)
            return null;
        lines.Reverse = section.Line;
        var reader = new JsonObjectReader(
            section,
            $"{what}.reverse",
            findings,
            "model",
            "way",
            "card",
            "number",
            "ref",
            "fields",
            "additive"
        );
        if (!reader.IsObject)
            return null;
        var (fields, owned) = Fields(reader);
        CheckNames();
        return new ReverseDeclaration(reader.Text("model"), Way(reader), Card(reader), fields, owned, Additive(reader, owned))
        {
            Number = Number(reader),
            Ref = Ref(reader),
        };
    }

    private string? Way(JsonObjectReader reader)
    {
        if (reader.Optional("way") is null)
            return null;
        var way = reader.Text("way");
        if (way.Length > 0 && !ReverseDeclaration.Ways.Contains(way))
            Add(
                reader.LineOf("way"),
                $"\"{way}\" is no way to write into Odoo.",
                NearestName.Remedy(way, ReverseDeclaration.Ways, "Leave it out, for what Odoo has, or use one of")
            );
        return way;
    }

    /// <summary>That it is a parent, and so a bigint, is looked at when all entities are read.</summary>
    private static string? Card(JsonObjectReader reader) => reader.Optional("card") is null ? null : reader.Text("card");

    /// <summary>A source column, which need not be declared besides.</summary>
    private string? Number(JsonObjectReader reader)
    {
        if (reader.Optional("number") is null)
            return null;
        var number = reader.Text("number");
        if (reader.Optional("card") is not null)
            Add(
                reader.LineOf("number"),
                "only cards have a number: it is the order of all that is theirs.",
                "Name it in the card's entity."
            );
        else if (
            entity.SourceColumns.FirstOrDefault(c => c.Name == number) is { Type: not (SourceType.Integer or SourceType.Float) } column
        )
            Add(reader.LineOf("number"), $"the number \"{number}\" is {column.Type}.", "Name the column that 'cdc reverse install' makes.");
        return number;
    }

    /// <summary>As the number; where Odoo's id is no column of the engine's, nothing could say which row it is.</summary>
    private string? Ref(JsonObjectReader reader)
    {
        if (reader.Optional("ref") is null)
            return null;
        var name = reader.Text("ref");
        if (entity.SourceColumns.FirstOrDefault(c => c.Name == name) is { Type: not SourceType.Text } column)
            Add(reader.LineOf("ref"), $"\"{name}\" is {column.Type}.", "Name the column that 'cdc reverse install' makes.");
        if (entity.OdooId is null)
            Add(
                reader.LineOf("ref"),
                "what is born in the engine has no place for Odoo's id.",
                $"Declare an engine column of which the value is \"{entity.Key.Name}\"."
            );
        return name;
    }

    private (List<ReverseField> Fields, List<string> Owned) Fields(JsonObjectReader reader)
    {
        var fields = new List<ReverseField>();
        var inputs = 0UL;
        if (reader.Required("fields", JsonShape.Object) is not { } json)
            return (fields, []);
        foreach (var (name, line, value) in json.Properties)
        {
            var field = new JsonObjectReader(value, $"{what}.reverse.fields.{name}", findings, "type", "value");
            if (!field.IsObject)
                continue;
            if (fields.Any(f => f.Name == name))
                Add(line, $"the field \"{name}\" is there twice.", "Keep one of them.");
            fields.Add(new ReverseField(name, field.Text("type"), field.Text("value")));
            inputs |= Compile(fields[^1], field);
        }
        if (fields.Count == 0)
            Add(json.Line, "no field of Odoo's is written.", "Name at least one, or take \"reverse\" out.");
        return (fields, [.. _columns.Where(c => (inputs >> c.Slot & 1) != 0).Select(c => c.Name)]);
    }

    /// <returns>A bit for each engine column that it reads.</returns>
    private ulong Compile(ReverseField field, JsonObjectReader json)
    {
        if (field.Type.Length == 0 || field.Value.Length == 0)
            return 0;
        if (SqlTypeName.Parse(field.Type) is not { } type)
        {
            Add(json.LineOf("type"), $"the type \"{field.Type}\" is not supported.", $"Supported: {SqlTypeName.Supported}.");
            return 0;
        }
        try
        {
            var node = ExpressionCompiler.Value(field.Value, _columns, type);
            if (node.Inputs == 0)
                Add(json.LineOf("value"), $"{field.Name} is made of no column.", "Name one: what the engine does not change is not sent.");
            return node.Inputs;
        }
        catch (ExpressionException wrong)
        {
            findings.Add(
                wrong.Code,
                json.LineOf("value"),
                $"{what}.reverse.fields.{field.Name}: {wrong.Message}, at character {wrong.Position + 1} of: {field.Value}",
                wrong.Remedy
            );
            return 0;
        }
    }

    private List<string> Additive(JsonObjectReader reader, List<string> owned)
    {
        var additive = new List<string>();
        if (reader.Optional("additive") is not { } json)
            return additive;
        if (reader.Optional("card") is not null)
            Add(json.Line, "only cards have numbers to which both sides add.", "Take it out: what a row says of itself, its owner says.");
        if (json.Shape != JsonShape.Array)
            Add(json.Line, "\"additive\" must be an array [ ... ].", "Put the columns' names in brackets.");
        foreach (var item in json.Items)
        {
            var column = entity.Columns.FirstOrDefault(c => c.Name == item.Text);
            if (column is null || !owned.Contains(column.Name))
                Add(
                    item.Line,
                    $"\"additive\" names \"{item.Text}\", of which no field is made.",
                    NearestName.Remedy(item.Text, owned, "Use one of")
                );
            else if (SqlTypeName.Parse(column.Type)?.Family is not (SqlFamily.Integer or SqlFamily.Numeric))
                Add(item.Line, $"\"{column.Name}\" is {column.Type}: both sides add to exact numbers only.", "Declare it as numeric.");
            else
                additive.Add(column.Name);
        }
        return additive;
    }

    /// <summary>Columns that every table with owners has besides.</summary>
    private void CheckNames()
    {
        foreach (var column in entity.Columns)
            if (
                column.Name is ReverseDeclaration.BaseColumn or ReverseDeclaration.OdooRefColumn
                || ReverseDeclaration.CardColumns.Contains(column.Name)
            )
                Add(
                    lines.Columns[column.Name],
                    $"the engine column \"{column.Name}\" is written by the pipeline itself, where rows have owners.",
                    "Choose another name."
                );
    }

    private void Add(FileLine line, string message, string remedy) => findings.Add(Code, line, $"{what}: {message}", remedy);

    private static IEnumerable<(string Name, SourceType Type)> Readable(EntityDeclaration entity) =>
        entity
            .Columns.Select(c => (c.Name, SqlTypeName.Parse(c.Type)?.Family))
            .Where(c => c.Family is not null)
            .Select(c => (c.Name, TypeOf(c.Family!.Value)));

    private static SourceType TypeOf(SqlFamily family) =>
        family switch
        {
            SqlFamily.Integer => SourceType.Integer,
            SqlFamily.Float => SourceType.Float,
            SqlFamily.Numeric => SourceType.Numeric,
            SqlFamily.Boolean => SourceType.Boolean,
            SqlFamily.Timestamp => SourceType.Timestamp,
            SqlFamily.TimestampTz => SourceType.TimestampTz,
            SqlFamily.Date => SourceType.Date,
            SqlFamily.Jsonb => SourceType.Jsonb,
            _ => SourceType.Text,
        };
}
