using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cdc.Log.Avro.Schemas;

/// <summary>Reads one schema text. Names are known from where they are declared on, also to themselves.</summary>
internal sealed class AvroSchemaParser
{
    // Deeper schemas are hostile or broken; the parser must not run out of stack on them.
    private const int MostDepth = 64;

    private static readonly Dictionary<string, AvroKind> Primitives = new(StringComparer.Ordinal)
    {
        ["null"] = AvroKind.Null,
        ["boolean"] = AvroKind.Boolean,
        ["int"] = AvroKind.Int,
        ["long"] = AvroKind.Long,
        ["float"] = AvroKind.Float,
        ["double"] = AvroKind.Double,
        ["bytes"] = AvroKind.Bytes,
        ["string"] = AvroKind.String,
    };

    private readonly Dictionary<string, NamedSchema> _named = new(StringComparer.Ordinal);

    public static bool IsPrimitive(string name) => Primitives.ContainsKey(name);

    /// <exception cref="AvroSchemaException">The text is not a schema.</exception>
    public AvroSchema Parse(string json)
    {
        try
        {
            return Schema(JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { MaxDepth = MostDepth }), "");
        }
        catch (JsonException e)
        {
            throw new AvroSchemaException($"The schema is not JSON: {e.Message}", e);
        }
        catch (ArgumentException e)
        {
            throw new AvroSchemaException($"The schema names a property twice: {e.Message}", e);
        }
    }

    private AvroSchema Schema(JsonNode? node, string enclosing) =>
        node switch
        {
            JsonValue value when value.TryGetValue<string>(out var name) => Reference(name, enclosing),
            JsonArray branches => Union(branches, enclosing),
            JsonObject declaration => Declared(declaration, enclosing),
            _ => throw new AvroSchemaException("A schema is a name, an object or an array."),
        };

    private AvroSchema Reference(string name, string enclosing)
    {
        if (Primitives.TryGetValue(name, out var kind))
            return new AvroSchema(kind);
        var full = AvroName.Of(name, enclosing).Full;
        // A name without dots may also be one without a namespace.
        return _named.GetValueOrDefault(full)
            ?? _named.GetValueOrDefault(name)
            ?? throw new AvroSchemaException($"There is no type '{full}'.");
    }

    private UnionSchema Union(JsonArray nodes, string enclosing)
    {
        var branches = nodes.Select(node => Schema(node, enclosing)).ToList();
        if (branches.Count == 0)
            throw new AvroSchemaException("A union has at least one branch.");
        if (branches.Any(b => b.Kind == AvroKind.Union))
            throw new AvroSchemaException("A union may not directly contain another.");
        if (branches.DistinctBy(b => b is NamedSchema named ? named.Name.Full : b.Kind.ToString()).Count() != branches.Count)
            throw new AvroSchemaException("A union may not have two branches of the same type.");
        return new UnionSchema(branches);
    }

    private AvroSchema Declared(JsonObject declaration, string enclosing)
    {
        // {"type": {...}} and {"type": [...]} mean what they contain.
        if (declaration["type"] is not JsonValue type || !type.TryGetValue<string>(out var kind))
            return declaration["type"] is { } inner
                ? Schema(inner, enclosing)
                : throw new AvroSchemaException("A schema object has a type.");
        return kind switch
        {
            "record" or "error" => Record(declaration, enclosing),
            "enum" => Enum(declaration, enclosing),
            "fixed" => Fixed(declaration, enclosing),
            "array" => new ArraySchema(Schema(Required(declaration, "items"), enclosing), declaration),
            "map" => new MapSchema(Schema(Required(declaration, "values"), enclosing), declaration),
            _ when Primitives.TryGetValue(kind, out var primitive) => new AvroSchema(primitive, declaration),
            _ => Reference(kind, enclosing),
        };
    }

    private RecordSchema Record(JsonObject declaration, string enclosing)
    {
        var name = NameOf(declaration, enclosing);
        var record = Named(new RecordSchema(name, AliasesOf(declaration, name), declaration));
        if (Required(declaration, "fields") is not JsonArray fields)
            throw new AvroSchemaException($"The fields of {name} are an array.");
        record.Fields =
        [
            .. fields.Select(field =>
                Field(field as JsonObject ?? throw new AvroSchemaException($"A field of {name} is an object."), name)
            ),
        ];
        if (record.Fields.DistinctBy(f => f.Name).Count() != record.Fields.Count)
            throw new AvroSchemaException($"{name} has two fields of one name.");
        return record;
    }

    private RecordField Field(JsonObject field, AvroName record)
    {
        var name = RequiredText(field, "name");
        if (!AvroName.IsName(name))
            throw new AvroSchemaException($"'{name}' in {record} is not a name.");
        var schema = Schema(Required(field, "type"), record.Namespace);
        var parsed = new RecordField(name, schema, Texts(field, "aliases"), field.ContainsKey("default"), field["default"]);
        if (parsed.HasDefault && !DefaultValue.Fits(schema, parsed.Default))
            throw new AvroSchemaException($"The default of {record}.{name} is not of its type (of a union: of the first branch).");
        return parsed;
    }

    private EnumSchema Enum(JsonObject declaration, string enclosing)
    {
        var name = NameOf(declaration, enclosing);
        var symbols = Texts(declaration, "symbols");
        if (symbols.Count != symbols.Distinct().Count() || !symbols.All(AvroName.IsName))
            throw new AvroSchemaException($"The symbols of {name} are names, each once.");
        var fallback = declaration.ContainsKey("default") ? RequiredText(declaration, "default") : null;
        if (fallback is not null && !symbols.Contains(fallback))
            throw new AvroSchemaException($"The default of {name} is none of its symbols.");
        return Named(new EnumSchema(name, AliasesOf(declaration, name), symbols, fallback, declaration));
    }

    private FixedSchema Fixed(JsonObject declaration, string enclosing)
    {
        var name = NameOf(declaration, enclosing);
        if (Required(declaration, "size") is not JsonValue value || !value.TryGetValue<int>(out var size) || size < 0)
            throw new AvroSchemaException($"The size of {name} is a number of bytes.");
        return Named(new FixedSchema(name, AliasesOf(declaration, name), size, declaration));
    }

    private T Named<T>(T schema)
        where T : NamedSchema =>
        _named.TryAdd(schema.Name.Full, schema) ? schema : throw new AvroSchemaException($"{schema.Name} is declared twice.");

    private static AvroName NameOf(JsonObject declaration, string enclosing)
    {
        var name = RequiredText(declaration, "name");
        if (Primitives.ContainsKey(name))
            throw new AvroSchemaException($"'{name}' is the name of a primitive type.");
        return AvroName.Of(name, declaration["namespace"] is null ? enclosing : RequiredText(declaration, "namespace"));
    }

    private static List<AvroName> AliasesOf(JsonObject declaration, AvroName name) =>
        [.. Texts(declaration, "aliases").Select(alias => AvroName.Of(alias, name.Namespace))];

    private static List<string> Texts(JsonObject declaration, string property)
    {
        if (declaration[property] is not { } node)
            return [];
        if (node is not JsonArray array)
            throw new AvroSchemaException($"'{property}' is an array.");
        return
        [
            .. array.Select(item =>
                item is JsonValue value && value.TryGetValue<string>(out var text)
                    ? text
                    : throw new AvroSchemaException($"'{property}' holds texts.")
            ),
        ];
    }

    private static JsonNode Required(JsonObject declaration, string property) =>
        declaration[property] ?? throw new AvroSchemaException($"'{property}' is missing.");

    private static string RequiredText(JsonObject declaration, string property) =>
        Required(declaration, property) is JsonValue value && value.TryGetValue<string>(out var text)
            ? text
            : throw new AvroSchemaException($"'{property}' is a text.");
}
