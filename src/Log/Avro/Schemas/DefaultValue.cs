using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cdc.Log.Avro.Schemas;

/// <summary>A field's default: JSON in the schema, the value for a reader whose record lacks the field.</summary>
internal static class DefaultValue
{
    public static bool Fits(AvroSchema schema, JsonNode? json)
    {
        try
        {
            Of(schema, json);
            return true;
        }
        catch (AvroSchemaException)
        {
            return false;
        }
    }

    /// <summary>As <see cref="Resolution.ResolvedSchema.Read"/> gives it; for a union the default is of its first branch.</summary>
    /// <exception cref="AvroSchemaException">It is not of that type.</exception>
    public static object? Of(AvroSchema schema, JsonNode? json) =>
        (schema.Kind, json?.GetValueKind() ?? JsonValueKind.Null) switch
        {
            (AvroKind.Union, _) => Of(((UnionSchema)schema).Branches[0], json),
            (AvroKind.Null, JsonValueKind.Null) => null,
            (AvroKind.Boolean, JsonValueKind.True or JsonValueKind.False) => json!.GetValue<bool>(),
            (AvroKind.Int, JsonValueKind.Number) when json!.AsValue().TryGetValue<int>(out var number) => number,
            (AvroKind.Long, JsonValueKind.Number) when json!.AsValue().TryGetValue<long>(out var number) => number,
            (AvroKind.Float, JsonValueKind.Number) => json!.GetValue<float>(),
            (AvroKind.Double, JsonValueKind.Number) => json!.GetValue<double>(),
            (AvroKind.String, JsonValueKind.String) => json!.GetValue<string>(),
            (AvroKind.Bytes, JsonValueKind.String) => Bytes(json!.GetValue<string>()),
            (AvroKind.Fixed, JsonValueKind.String) when json!.GetValue<string>().Length == ((FixedSchema)schema).Size => Bytes(
                json!.GetValue<string>()
            ),
            (AvroKind.Enum, JsonValueKind.String) when ((EnumSchema)schema).Symbols.Contains(json!.GetValue<string>()) =>
                json!.GetValue<string>(),
            (AvroKind.Array, JsonValueKind.Array) => json!.AsArray().Select(item => Of(((ArraySchema)schema).Items, item)).ToList(),
            (AvroKind.Map, JsonValueKind.Object) => json!
                .AsObject()
                .ToDictionary(item => item.Key, item => Of(((MapSchema)schema).Values, item.Value)),
            (AvroKind.Record, JsonValueKind.Object) => Record((RecordSchema)schema, json!.AsObject()),
            var (kind, found) => throw new AvroSchemaException($"A default of type {kind} is not written as {found}."),
        };

    private static Resolution.AvroRecord Record(RecordSchema schema, JsonObject json)
    {
        // A record's default may contain its own field's default, without end.
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new AvroSchemaException($"The default of {schema.Name} contains itself, or is nested too deeply.");
        return new(
            schema,
            [
                .. schema.Fields.Select(field =>
                    json.ContainsKey(field.Name) ? Of(field.Schema, json[field.Name])
                    : field.HasDefault ? Of(field.Schema, field.Default)
                    : throw new AvroSchemaException($"The default has no field {field.Name}.")
                ),
            ]
        );
    }

    /// <summary>Code points 0 to 255 stand for bytes.</summary>
    private static byte[] Bytes(string text) =>
        text.All(c => c <= byte.MaxValue)
            ? [.. text.Select(c => (byte)c)]
            : throw new AvroSchemaException("Bytes in a default are code points up to 255.");
}
