using System.Text.Json.Nodes;
using Cdc.Core.Changes;
using Cdc.Log.Avro.Schemas;
using Cdc.Log.Records.Columns;

namespace Cdc.Log.Records;

/// <summary>A column of a topic's rows.</summary>
/// <param name="Field">Its name in the schema: the column's, as far as Avro allows it.</param>
internal sealed record TopicColumn(string Field, string Column, ColumnForm Form, bool IsKey);

/// <summary>
/// The schemas of a topic's keys and values: Debezium's names, fields and order, so that what reads its topics reads these. What we add
/// stands at the end of <c>source</c>, with defaults.
/// </summary>
internal static class EnvelopeSchema
{
    public const string Before = "before",
        After = "after",
        Source = "source",
        Op = "op";
    public const string TimeMicros = "ts_us",
        Xid = "txId",
        CommitLsn = "lsn";
    public const string Generation = "generation",
        Ordinal = "ordinal",
        Session = "session",
        SessionSequence = "session_sequence",
        Rekey = "rekey",
        Unchanged = "unchanged",
        Exact = "exact";

    private const string Snapshots = "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental";

    /// <param name="recordNamespace">The topic's name, as far as Avro allows it.</param>
    /// <param name="keys">In the order of the key.</param>
    public static string Key(string recordNamespace, IEnumerable<TopicColumn> keys) =>
        new JsonObject
        {
            ["type"] = "record",
            ["name"] = "Key",
            ["namespace"] = recordNamespace,
            ["fields"] = new JsonArray([.. keys.Select(key => (JsonNode)Field(key.Field, key.Form.ToJson(isFirst: true)))]),
            ["connect.name"] = recordNamespace + ".Key",
        }.ToJsonString();

    /// <inheritdoc cref="Key"/>
    public static string Value(string recordNamespace, IReadOnlyList<TopicColumn> columns) =>
        new JsonObject
        {
            ["type"] = "record",
            ["name"] = "Envelope",
            ["namespace"] = recordNamespace,
            ["fields"] = new JsonArray(
                Optional(Before, Row(recordNamespace, columns)),
                Optional(After, "Value"),
                Field(Source, SourceRecord()),
                Optional("transaction", Transaction()),
                Field(Op, "string"),
                Optional("ts_ms", "long"),
                Optional("ts_us", "long"),
                Optional("ts_ns", "long")
            ),
            ["connect.version"] = 2,
            ["connect.name"] = recordNamespace + ".Envelope",
        }.ToJsonString();

    /// <summary>Field names of a topic's columns: two that Avro would spell alike cannot share a topic.</summary>
    public static string NameOf(ColumnSchema column) => AvroName.Adjusted(column.Name);

    private static JsonObject Row(string recordNamespace, IReadOnlyList<TopicColumn> columns)
    {
        var fields = new JsonArray();
        var isFirst = true;
        foreach (var column in columns)
        {
            var type = column.Form.ToJson(isFirst);
            isFirst &= column.Form.Kind != ColumnKind.VariableDecimal;
            fields.Add((JsonNode)(column.IsKey ? Field(column.Field, type) : Optional(column.Field, type)));
        }
        return new JsonObject
        {
            ["type"] = "record",
            ["name"] = "Value",
            ["fields"] = fields,
            ["connect.name"] = recordNamespace + ".Value",
        };
    }

    private static JsonObject SourceRecord() =>
        new()
        {
            ["type"] = "record",
            ["name"] = "Source",
            ["namespace"] = "io.debezium.connector.postgresql",
            ["fields"] = new JsonArray(
                Field("version", "string"),
                Field("connector", "string"),
                Field("name", "string"),
                Field("ts_ms", "long"),
                Snapshot(),
                Field("db", "string"),
                Optional("sequence", "string"),
                Optional(TimeMicros, "long"),
                Optional("ts_ns", "long"),
                Field("schema", "string"),
                Field("table", "string"),
                Optional(Xid, "long"),
                Optional(CommitLsn, "long"),
                Optional("xmin", "long"),
                Field(Generation, "int", 0),
                Field(Ordinal, "long", 0),
                Field(Session, "long", 0),
                Field(SessionSequence, "long", 0),
                Field(Rekey, "boolean", false),
                Field(Unchanged, new JsonObject { ["type"] = "array", ["items"] = "string" }, new JsonArray()),
                Field(Exact, new JsonObject { ["type"] = "map", ["values"] = "string" }, new JsonObject())
            ),
            ["connect.name"] = "io.debezium.connector.postgresql.Source",
        };

    private static JsonObject Snapshot() =>
        new()
        {
            ["name"] = "snapshot",
            ["type"] = new JsonArray(
                new JsonObject
                {
                    ["type"] = "string",
                    ["connect.version"] = 1,
                    ["connect.parameters"] = new JsonObject { ["allowed"] = Snapshots },
                    ["connect.default"] = "false",
                    ["connect.name"] = "io.debezium.data.Enum",
                },
                "null"
            ),
            ["default"] = "false",
        };

    private static JsonObject Transaction() =>
        new()
        {
            ["type"] = "record",
            ["name"] = "block",
            ["namespace"] = "event",
            ["fields"] = new JsonArray(Field("id", "string"), Field("total_order", "long"), Field("data_collection_order", "long")),
            ["connect.version"] = 1,
            ["connect.name"] = "event.block",
        };

    private static JsonObject Optional(string name, JsonNode type) => Field(name, new JsonArray("null", type), null);

    private static JsonObject Field(string name, JsonNode type) => new() { ["name"] = name, ["type"] = type };

    private static JsonObject Field(string name, JsonNode type, JsonNode? @default) =>
        new()
        {
            ["name"] = name,
            ["type"] = type,
            ["default"] = @default,
        };
}
