using System.Text.Json.Nodes;
using Cdc.Core.Postgres.Values;

namespace Cdc.Log.Avro.Schemas;

internal enum AvroKind : byte
{
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array,
    Map,
    Union,
    Fixed,
    Enum,
    Record,
}

/// <summary>A schema of the Avro 1.11 specification. Immutable once parsed; named types may contain themselves.</summary>
internal class AvroSchema
{
    private readonly JsonObject? _declaration;

    internal AvroSchema(AvroKind kind, JsonObject? declaration = null) => (Kind, _declaration) = (kind, declaration);

    public AvroKind Kind { get; }

    /// <summary>Such as <c>decimal</c>; what is not known to a reader changes nothing for it.</summary>
    public string? LogicalType => Text("logicalType");

    /// <summary>Null: no number of decimals, or one that is declared wrongly, which then is bytes like others.</summary>
    public (int Precision, int Scale)? Decimal =>
        LogicalType == "decimal"
        && Kind is AvroKind.Bytes or AvroKind.Fixed
        && Number("precision") is { } precision
        && (Number("scale") ?? 0) is var scale
        && precision > 0
        && scale >= 0
        && scale <= precision
            ? (precision, scale)
            : null;

    /// <summary>The name of Kafka Connect's schema, such as <c>io.debezium.time.MicroTimestamp</c>.</summary>
    public string? ConnectName => Text("connect.name");

    /// <summary>An attribute beside the type; null if there is none, or none that is text.</summary>
    internal string? Text(string attribute) =>
        _declaration?[attribute] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <inheritdoc cref="Text"/>
    internal int? Number(string attribute) =>
        _declaration?[attribute] is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;

    /// <exception cref="AvroSchemaException">The text is not a schema.</exception>
    public static AvroSchema Parse(string json) => new AvroSchemaParser().Parse(json);
}

internal sealed class ArraySchema(AvroSchema items, JsonObject declaration) : AvroSchema(AvroKind.Array, declaration)
{
    public AvroSchema Items { get; } = items;
}

internal sealed class MapSchema(AvroSchema values, JsonObject declaration) : AvroSchema(AvroKind.Map, declaration)
{
    public AvroSchema Values { get; } = values;
}

internal sealed class UnionSchema(IReadOnlyList<AvroSchema> branches) : AvroSchema(AvroKind.Union)
{
    public IReadOnlyList<AvroSchema> Branches { get; } = branches;
}

/// <summary>A record, enum or fixed.</summary>
internal abstract class NamedSchema(AvroKind kind, AvroName name, IReadOnlyList<AvroName> aliases, JsonObject declaration)
    : AvroSchema(kind, declaration)
{
    public AvroName Name { get; } = name;
    public IReadOnlyList<AvroName> Aliases { get; } = aliases;
}

internal sealed class FixedSchema(AvroName name, IReadOnlyList<AvroName> aliases, int size, JsonObject declaration)
    : NamedSchema(AvroKind.Fixed, name, aliases, declaration)
{
    public int Size { get; } = size;
}

/// <param name="@default">What a reader takes for a symbol that it does not know; null: it refuses.</param>
internal sealed class EnumSchema(
    AvroName name,
    IReadOnlyList<AvroName> aliases,
    IReadOnlyList<string> symbols,
    string? @default,
    JsonObject declaration
) : NamedSchema(AvroKind.Enum, name, aliases, declaration)
{
    public IReadOnlyList<string> Symbols { get; } = symbols;
    public string? Default { get; } = @default;
}

internal sealed class RecordSchema(AvroName name, IReadOnlyList<AvroName> aliases, JsonObject declaration)
    : NamedSchema(AvroKind.Record, name, aliases, declaration)
{
    /// <summary>Filled by the parser before the record is visible: its fields may name it.</summary>
    public IReadOnlyList<RecordField> Fields { get; internal set; } = [];
}

/// <param name="HasDefault">A reader may do without the field: it then takes <paramref name="Default"/> (JSON null for Avro's
/// null).</param>
internal sealed record RecordField(string Name, AvroSchema Schema, IReadOnlyList<string> Aliases, bool HasDefault, JsonNode? Default);

/// <summary>The text is not an Avro schema.</summary>
internal sealed class AvroSchemaException(string message, Exception? inner = null) : Exception(message, inner);
