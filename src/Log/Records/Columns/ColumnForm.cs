using System.Text.Json.Nodes;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Records.Columns;

internal enum ColumnKind : byte
{
    Boolean,
    Int16,
    Int32,
    Int64,
    Float4,
    Float8,
    Text,
    Json,
    Jsonb,
    Uuid,
    Bytes,
    Date,

    /// <summary>timestamp, in microseconds.</summary>
    Timestamp,

    /// <summary>timestamp, in milliseconds.</summary>
    TimestampMillis,
    TimestampTz,

    /// <summary>numeric(p, s): the unscaled number as bytes, the scale in the schema.</summary>
    Decimal,

    /// <summary>numeric without a declared scale: each value carries its own.</summary>
    VariableDecimal,
}

/// <summary>
/// What a PostgreSQL type is in a topic: as Debezium gives it (time.precision.mode=adaptive_time_microseconds,
/// decimal.handling.mode=precise), with Avro's logical type besides where there is one. Never a logical type that Kafka Connect knows
/// (date, time-millis, timestamp-millis, decimal) beside another name than Connect's own: its AvroData gives the field two names then, and
/// refuses every record ("Mismatched names").
/// </summary>
/// <param name="Scale">Of <see cref="ColumnKind.Decimal"/>; else 0.</param>
/// <param name="NumberOid">The column's own type, where it is not numeric and is written as such.</param>
internal readonly record struct ColumnForm(ColumnKind Kind, int Precision = 0, int Scale = 0, uint NumberOid = 0)
{
    public const string VariableScaleDecimal = "io.debezium.data.VariableScaleDecimal";

    private const string Date = "io.debezium.time.Date",
        MicroTimestamp = "io.debezium.time.MicroTimestamp",
        MilliTimestamp = "io.debezium.time.Timestamp",
        ConnectTimestamp = "org.apache.kafka.connect.data.Timestamp",
        ZonedTimestamp = "io.debezium.time.ZonedTimestamp",
        ConnectDecimal = "org.apache.kafka.connect.data.Decimal",
        DebeziumJson = "io.debezium.data.Json",
        DebeziumUuid = "io.debezium.data.Uuid";

    /// <summary>Its values are text, or bytes, that UPDATEs may leave out: a placeholder shows readers the columns.</summary>
    public bool HasPlaceholder => Kind is ColumnKind.Text or ColumnKind.Json or ColumnKind.Jsonb or ColumnKind.Bytes;

    /// <summary>The type that rows read from a topic have; binary jsonb comes back as json.</summary>
    public uint TypeOid =>
        Kind switch
        {
            ColumnKind.Boolean => TypeOids.Bool,
            ColumnKind.Int16 => TypeOids.Int2,
            ColumnKind.Int32 => TypeOids.Int4,
            ColumnKind.Int64 => TypeOids.Int8,
            ColumnKind.Float4 => TypeOids.Float4,
            ColumnKind.Float8 => TypeOids.Float8,
            ColumnKind.Json or ColumnKind.Jsonb => TypeOids.Json,
            ColumnKind.Uuid => TypeOids.Uuid,
            ColumnKind.Bytes => TypeOids.Bytea,
            ColumnKind.Date => TypeOids.Date,
            ColumnKind.Timestamp or ColumnKind.TimestampMillis => TypeOids.Timestamp,
            ColumnKind.TimestampTz => TypeOids.TimestampTz,
            ColumnKind.Decimal or ColumnKind.VariableDecimal => TypeOids.Numeric,
            _ => TypeOids.Text,
        };

    /// <summary>A topic does not say whether a text was json or jsonb: capture reads a column that is declared as jsonb from nothing else.</summary>
    public bool CanBeReadAs(SourceType declared) =>
        SourceTypes.CanRead(declared, TypeOid) || (declared == SourceType.Jsonb && SourceTypes.CanRead(SourceType.Json, TypeOid));

    /// <exception cref="CdcException">Preflight: values of this type have no form in a topic.</exception>
    public static ColumnForm Of(ColumnSchema column, string table, TimestampUnit timestamps) =>
        column.TypeOid switch
        {
            TypeOids.Bool => new(ColumnKind.Boolean),
            TypeOids.Int2 => new(ColumnKind.Int16),
            TypeOids.Int4 => new(ColumnKind.Int32),
            TypeOids.Int8 => new(ColumnKind.Int64),
            TypeOids.Float4 => new(ColumnKind.Float4),
            TypeOids.Float8 => new(ColumnKind.Float8),
            TypeOids.Text or TypeOids.Varchar => new(ColumnKind.Text),
            TypeOids.Json => new(ColumnKind.Json),
            TypeOids.Jsonb => new(ColumnKind.Jsonb),
            TypeOids.Uuid => new(ColumnKind.Uuid),
            TypeOids.Bytea => new(ColumnKind.Bytes),
            TypeOids.Date => new(ColumnKind.Date),
            TypeOids.Timestamp => new(timestamps == TimestampUnit.Millis ? ColumnKind.TimestampMillis : ColumnKind.Timestamp),
            TypeOids.TimestampTz => new(ColumnKind.TimestampTz),
            TypeOids.Numeric => Numeric(column.TypeModifier),
            _ => throw new CdcException(
                FailureKind.Preflight,
                $"Column {column.Name} of {table} has the type with OID {column.TypeOid}, which has no form in a topic.",
                "Take the column out of the entities declaration, or change its type to one of bool, int2, int4, int8, float4, float8, "
                    + "numeric, text, varchar, date, timestamp, timestamptz, uuid, json, jsonb, bytea."
            ),
        };

    /// <summary>
    /// A column that is declared as number, whatever its type: cast to numeric, which is all that expressions do with it. So the schema stays
    /// as it is when the type changes.
    /// </summary>
    public static ColumnForm OfNumber(ColumnSchema column) =>
        new(ColumnKind.VariableDecimal, NumberOid: column.TypeOid == TypeOids.Numeric ? 0 : column.TypeOid);

    /// <summary>Null: no value of PostgreSQL's is kept like that.</summary>
    public static ColumnForm? Of(AvroSchema schema) =>
        (schema.Kind, schema.ConnectName ?? schema.LogicalType) switch
        {
            (AvroKind.Boolean, _) => new(ColumnKind.Boolean),
            (AvroKind.Int, Date or "date") => new(ColumnKind.Date),
            (AvroKind.Int, null) => new(schema.Text("connect.type") == "int16" ? ColumnKind.Int16 : ColumnKind.Int32),
            (AvroKind.Long, MicroTimestamp or "timestamp-micros") => new(ColumnKind.Timestamp),
            (AvroKind.Long, ConnectTimestamp or MilliTimestamp or "timestamp-millis") => new(ColumnKind.TimestampMillis),
            (AvroKind.Long, null) => new(ColumnKind.Int64),
            (AvroKind.Float, _) => new(ColumnKind.Float4),
            (AvroKind.Double, _) => new(ColumnKind.Float8),
            (AvroKind.Bytes, _) when schema.Decimal is { } number => new(ColumnKind.Decimal, number.Precision, number.Scale),
            (AvroKind.Bytes, null or ConnectDecimal or "decimal") => new(ColumnKind.Bytes),
            (AvroKind.String, ZonedTimestamp) => new(ColumnKind.TimestampTz),
            (AvroKind.String, DebeziumJson) => new(ColumnKind.Json),
            (AvroKind.String, DebeziumUuid or "uuid") => new(ColumnKind.Uuid),
            (AvroKind.String, _) => new(ColumnKind.Text),
            (AvroKind.Record, VariableScaleDecimal) => new(ColumnKind.VariableDecimal),
            _ => null,
        };

    /// <param name="isFirst">False: the schema has declared <see cref="VariableScaleDecimal"/> before, and only names it here.</param>
    public JsonNode ToJson(bool isFirst) =>
        Kind switch
        {
            ColumnKind.Boolean => "boolean",
            ColumnKind.Int16 => new JsonObject { ["type"] = "int", ["connect.type"] = "int16" },
            ColumnKind.Int32 => "int",
            ColumnKind.Int64 => "long",
            ColumnKind.Float4 => "float",
            ColumnKind.Float8 => "double",
            ColumnKind.Json or ColumnKind.Jsonb => Semantic("string", DebeziumJson, null),
            ColumnKind.Uuid => Semantic("string", DebeziumUuid, null),
            ColumnKind.Bytes => "bytes",
            ColumnKind.Date => Semantic("int", Date, null),
            ColumnKind.Timestamp => Semantic("long", MicroTimestamp, "timestamp-micros"),
            ColumnKind.TimestampMillis => Semantic("long", ConnectTimestamp, "timestamp-millis"),
            ColumnKind.TimestampTz => Semantic("string", ZonedTimestamp, null),
            ColumnKind.Decimal => DecimalJson(),
            ColumnKind.VariableDecimal => isFirst ? VariableJson() : VariableScaleDecimal,
            _ => "string",
        };

    /// <summary>The modifier holds precision and scale; without one (Odoo's numeric columns) each value has its own scale.</summary>
    private static ColumnForm Numeric(int modifier)
    {
        const int Header = 4;
        if (modifier < Header)
            return new(ColumnKind.VariableDecimal);
        var (precision, scale) = ((modifier - Header) >> 16, (modifier - Header) & 0x7FF);
        // Since PostgreSQL 15 the scale may be negative or above the precision; Avro's may not.
        return scale <= precision && scale <= 0x3FF ? new(ColumnKind.Decimal, precision, scale) : new(ColumnKind.VariableDecimal);
    }

    private static JsonObject Semantic(string type, string connectName, string? logicalType)
    {
        JsonObject json = new()
        {
            ["type"] = type,
            ["connect.version"] = 1,
            ["connect.name"] = connectName,
        };
        if (logicalType is not null)
            json["logicalType"] = logicalType;
        return json;
    }

    private JsonObject DecimalJson() =>
        new()
        {
            ["type"] = "bytes",
            ["scale"] = Scale,
            ["precision"] = Precision,
            ["connect.version"] = 1,
            ["connect.parameters"] = new JsonObject { ["scale"] = $"{Scale}", ["connect.decimal.precision"] = $"{Precision}" },
            ["connect.name"] = ConnectDecimal,
            ["logicalType"] = "decimal",
        };

    private static JsonObject VariableJson() =>
        new()
        {
            ["type"] = "record",
            ["name"] = "VariableScaleDecimal",
            ["namespace"] = "io.debezium.data",
            ["fields"] = new JsonArray(
                new JsonObject { ["name"] = "scale", ["type"] = "int" },
                new JsonObject { ["name"] = "value", ["type"] = "bytes" }
            ),
            ["connect.version"] = 1,
            ["connect.name"] = VariableScaleDecimal,
        };
}
