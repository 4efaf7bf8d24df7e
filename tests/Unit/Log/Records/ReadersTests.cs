using System.Text.Json.Nodes;
using Avro;
using Avro.Generic;
using Avro.IO;
using Cdc.Core.Changes;
using Cdc.Core.Schemas;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Records;
using Cdc.Log.Registry;
using Cdc.Tests.Support.Records;
using Xunit;

namespace Cdc.Tests.Unit.Log.Records;

/// <summary>What readers that are not ours make of the forms that values have.</summary>
public sealed class ReadersTests
{
    /// <summary>Of Kafka Connect's AvroData: a field with one of them gets Connect's own name, and refuses another one beside it.</summary>
    private static readonly Dictionary<string, string> NamesOfConnect = new()
    {
        ["date"] = "org.apache.kafka.connect.data.Date",
        ["time-millis"] = "org.apache.kafka.connect.data.Time",
        ["timestamp-millis"] = "org.apache.kafka.connect.data.Timestamp",
        ["decimal"] = "org.apache.kafka.connect.data.Decimal",
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TimestampUnit.Micros)]
    [InlineData(TimestampUnit.Millis)]
    public async Task No_field_has_two_names_for_Kafka_Connect(TimestampUnit timestamps)
    {
        var declarations = Declarations(JsonNode.Parse(await SchemaAsync(new SampleTable(timestamps: timestamps)))!).ToList();
        Assert.Contains(declarations, d => (string?)d["connect.name"] == "io.debezium.time.Date");
        foreach (var declaration in declarations)
            if ((string?)declaration["logicalType"] is { } logical && NamesOfConnect.TryGetValue(logical, out var name))
                Assert.Equal(name, (string?)declaration["connect.name"]);
    }

    [Theory]
    [InlineData(TimestampUnit.Micros, 9)]
    [InlineData(TimestampUnit.Millis, 9_999)]
    public async Task An_infinite_moment_is_one_that_dotnet_reads_and_exact_says_what_it_was(TimestampUnit timestamps, long lost)
    {
        var after = new DateTime(9999, 12, 31, 23, 59, 59, DateTimeKind.Utc).AddTicks(9_999_999 - lost);
        var (late, exact) = await ReadAsync(timestamps, int.MaxValue, long.MaxValue);
        Assert.Equal((2_145_042_905, after), (late["d"], late["ts"]));
        Assert.Equal(("infinity", "infinity", "infinity"), (exact["d"], exact["ts"], late["tz"]));
        var (early, exactly) = await ReadAsync(timestamps, int.MinValue, long.MinValue);
        Assert.Equal((-2_440_588, new DateTime(1, 1, 1, 0, 0, 0, DateTimeKind.Utc)), (early["d"], early["ts"]));
        Assert.Equal(("-infinity", "-infinity", "-infinity"), (exactly["d"], exactly["ts"], early["tz"]));
    }

    [Fact]
    public async Task Milliseconds_are_rounded_down_and_exact_has_what_they_lack()
    {
        // 2000-01-01 00:00:00.001 and a microsecond before 2000.
        var (whole, none) = await ReadAsync(TimestampUnit.Millis, 0, 1_000);
        Assert.Equal(new DateTime(2000, 1, 1, 0, 0, 0, 1, DateTimeKind.Utc), whole["ts"]);
        Assert.DoesNotContain("ts", none.Keys);
        var (part, exact) = await ReadAsync(TimestampUnit.Millis, 0, -1);
        Assert.Equal(new DateTime(1999, 12, 31, 23, 59, 59, 999, DateTimeKind.Utc), part["ts"]);
        Assert.Equal("1999-12-31 23:59:59.999999", exact["ts"]);
    }

    [Fact]
    public async Task Dates_of_topics_from_before_are_read_and_their_schema_goes_on_in_both_directions()
    {
        var table = new SampleTable();
        var row = SampleTable.AllTypes.Select(c =>
            c.Name == "id" ? SampleTable.Int32(1)
            : c.Name == "d" ? SampleTable.Int32(77)
            : null
        );
        var (key, value) = await table.EncodeAsync(table.Change(RowChangeKind.Insert, 1, [.. row]));
        var now = await SchemaAsync(table);
        const string Form = "\"connect.name\":\"io.debezium.time.Date\"";
        var before = now.Replace(Form, Form + ",\"logicalType\":\"date\"", StringComparison.Ordinal);
        Assert.NotEqual(now, before);
        Assert.Empty(Compatibility.Problems(CompatibilityLevel.Full, now, [new RegisteredSchema("s", 1, 1, before)]));
        var id = await table.Schemas.RegisterAsync(table.Topic + "-value", before, Ct);
        byte[] old = [.. ConfluentFrame.Of(id), .. value[ConfluentFrame.Length..]];
        var (change, _) = await table.DecodeAsync(key, old);
        Assert.Equal(SampleTable.Int32(77), SampleTable.Values((RowChange)change)[9]);
    }

    /// <summary>A row with this date and these moments, as Apache.Avro for .NET reads it.</summary>
    private static async Task<(Dictionary<string, object?> Row, IDictionary<string, object> Exact)> ReadAsync(
        TimestampUnit timestamps,
        int days,
        long micros
    )
    {
        var table = new SampleTable(timestamps: timestamps);
        var row = SampleTable.AllTypes.Select(c =>
            c.Name switch
            {
                "id" => SampleTable.Int32(1),
                "d" => SampleTable.Int32(days),
                "ts" or "tz" => SampleTable.Int64(micros),
                _ => null,
            }
        );
        var (_, value) = await table.EncodeAsync(table.Change(RowChangeKind.Insert, 1, [.. row]));
        var schema = Schema.Parse(await SchemaAsync(table));
        using var body = new MemoryStream(value, ConfluentFrame.Length, value.Length - ConfluentFrame.Length);
        var envelope = new GenericDatumReader<GenericRecord>(schema, schema).Read(null!, new BinaryDecoder(body));
        var (after, source) = ((GenericRecord)envelope["after"], (GenericRecord)envelope["source"]);
        return (after.Schema.Fields.ToDictionary(f => f.Name, f => (object?)after[f.Name]), (IDictionary<string, object>)source["exact"]);
    }

    private static async Task<string> SchemaAsync(SampleTable table)
    {
        var row = SampleTable.AllTypes.Select(c => c.Name == "id" ? SampleTable.Int32(1) : null);
        var (_, value) = await table.EncodeAsync(table.Change(RowChangeKind.Insert, 1, [.. row]));
        return (await table.Schemas.FindAsync(ConfluentFrame.SchemaId(value), Ct))!;
    }

    private static IEnumerable<JsonObject> Declarations(JsonNode? node) =>
        node switch
        {
            JsonObject declaration => declaration.SelectMany(p => Declarations(p.Value)).Prepend(declaration),
            JsonArray items => items.SelectMany(Declarations),
            _ => [],
        };
}
