using System.Text.Json.Nodes;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Registry;

/// <summary>
/// What a schema says, whatever the order of its JSON properties and however its names and primitives are written: clients write a schema
/// anew before they register it, and each has its own order. Everything that readers may use counts: documentation, defaults,
/// aliases and attributes.
/// </summary>
internal static class SchemaForm
{
    private static readonly HashSet<string> Named = ["record", "error", "enum", "fixed"];

    /// <param name="schema">Text of a schema.</param>
    /// <returns>Equal for two texts of one schema.</returns>
    public static string Of(string schema) => Form(JsonNode.Parse(schema), "")!.ToJsonString();

    public static bool Same(string one, string other) => one == other || Of(one) == Of(other);

    private static JsonNode? Form(JsonNode? node, string enclosing) =>
        node switch
        {
            JsonArray branches => new JsonArray([.. branches.Select(branch => Form(branch, enclosing))]),
            JsonObject declaration => Form(declaration, enclosing),
            JsonValue name when name.TryGetValue<string>(out var text) => Full(text, enclosing),
            _ => node?.DeepClone(),
        };

    private static JsonNode? Form(JsonObject declaration, string enclosing)
    {
        // {"type": "int"} is "int", and {"type": {...}} is what it contains.
        if (declaration["type"] is { } type && (declaration.Count == 1 || type is not JsonValue))
            return Form(type, enclosing);
        var kind = (string?)declaration["type"];
        var name = kind is not null && Named.Contains(kind) ? NameOf(declaration, enclosing) : (AvroName?)null;
        var inner = name?.Namespace ?? enclosing;
        return Sorted(
            declaration.Where(p => name is null || p.Key != "namespace"),
            (property, value) =>
                property switch
                {
                    "name" when name is { } full => full.Full,
                    "type" when kind is not null => Named.Contains(kind) ? kind : Full(kind, enclosing),
                    "items" or "values" => Form(value, inner),
                    "fields" when value is JsonArray fields => new JsonArray([.. fields.Select(field => Field((JsonObject)field!, inner))]),
                    "aliases" when name is not null && value is JsonArray aliases => new JsonArray([
                        .. aliases.Select(alias => (JsonNode?)AvroName.Of((string)alias!, inner).Full),
                    ]),
                    _ => Sorted(value),
                }
        );
    }

    private static JsonObject Field(JsonObject field, string enclosing) =>
        Sorted(field, (property, value) => property == "type" ? Form(value, enclosing) : Sorted(value));

    private static AvroName NameOf(JsonObject declaration, string enclosing) =>
        AvroName.Of((string)declaration["name"]!, (string?)declaration["namespace"] ?? enclosing);

    private static string Full(string name, string enclosing) =>
        name is "array" or "map" || AvroSchemaParser.IsPrimitive(name) ? name : AvroName.Of(name, enclosing).Full;

    private static JsonNode? Sorted(JsonNode? value) =>
        value switch
        {
            JsonObject properties => Sorted(properties, (_, inner) => Sorted(inner)),
            JsonArray items => new JsonArray([.. items.Select(Sorted)]),
            _ => value?.DeepClone(),
        };

    private static JsonObject Sorted(IEnumerable<KeyValuePair<string, JsonNode?>> properties, Func<string, JsonNode?, JsonNode?> form) =>
        new(
            properties
                .OrderBy(p => p.Key, StringComparer.Ordinal)
                .Select(p => new KeyValuePair<string, JsonNode?>(p.Key, form(p.Key, p.Value)))
        );
}
