using Cdc.Log.Avro.Schemas;
using Xunit;

namespace Cdc.Tests.Unit.Log.Avro;

public sealed class AvroSchemaTests
{
    [Fact]
    public void Names_take_the_namespace_that_encloses_them()
    {
        const string json = """
            {"type":"record","name":"a.b.Outer","fields":[
              {"name":"inner","type":{"type":"record","name":"Inner","fields":[{"name":"back","type":["null","Outer"],"default":null}]}},
              {"name":"again","type":"Inner"},{"name":"full","type":"a.b.Inner"},
              {"name":"other","type":{"type":"fixed","name":"F","namespace":"c","size":4}},{"name":"f","type":"c.F"}]}
            """;
        var outer = (RecordSchema)AvroSchema.Parse(json);
        var inner = (RecordSchema)outer.Fields[0].Schema;
        Assert.Equal(
            ("a.b.Outer", "a.b.Inner", "c.F"),
            (outer.Name.Full, inner.Name.Full, ((NamedSchema)outer.Fields[4].Schema).Name.Full)
        );
        Assert.Same(inner, outer.Fields[1].Schema);
        Assert.Same(inner, outer.Fields[2].Schema);
        Assert.Same(outer, ((UnionSchema)inner.Fields[0].Schema).Branches[1]);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("7")]
    [InlineData("\"strin\"")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""["int","int"]""")]
    [InlineData("""["null",["int"]]""")]
    [InlineData("""{"type":"record","name":"r"}""")]
    [InlineData("""{"type":"record","name":"1r","fields":[]}""")]
    [InlineData("""{"type":"record","name":"int","fields":[]}""")]
    [InlineData("""{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}""")]
    [InlineData("""{"type":"record","name":"r","fields":[{"name":"a-b","type":"int"}]}""")]
    [InlineData("""{"type":"record","name":"r","fields":[{"name":"a","type":["null","int"],"default":1}]}""")]
    [InlineData("""{"type":"record","name":"r","fields":[{"name":"a","type":"int","default":"1"}]}""")]
    [InlineData("""{"type":"enum","name":"e","symbols":["A","A"]}""")]
    [InlineData("""{"type":"enum","name":"e","symbols":["A"],"default":"B"}""")]
    [InlineData("""{"type":"fixed","name":"f","size":-1}""")]
    [InlineData("""[{"type":"fixed","name":"f","size":1},{"type":"fixed","name":"f","size":2}]""")]
    [InlineData("""{"type":"record","type":"record","name":"r","fields":[]}""")]
    public void What_is_no_schema_is_refused(string json) => Assert.Throws<AvroSchemaException>(() => AvroSchema.Parse(json));

    [Fact]
    public void A_schema_deeper_than_anybody_means_is_refused() =>
        Assert.Throws<AvroSchemaException>(() =>
            AvroSchema.Parse(string.Concat(Enumerable.Repeat("""{"type":""", 10_000)) + "\"int\"" + new string('}', 10_000))
        );

    [Fact]
    public void A_default_that_is_made_of_itself_is_refused() =>
        Assert.Throws<AvroSchemaException>(() =>
            AvroSchema.Parse(
                """
                {"type":"record","name":"o","fields":[{"name":"r","type":{"type":"record","name":"r","fields":[{"name":"f","type":"r","default":{}}]},"default":{}}]}
                """
            )
        );

    [Theory]
    [InlineData(9, 2, true)]
    [InlineData(2, 9, false)]
    [InlineData(0, 0, false)]
    public void A_decimal_that_is_declared_wrongly_is_bytes(int precision, int scale, bool isDecimal) =>
        Assert.Equal(
            isDecimal,
            AvroSchema.Parse($$"""{"type":"bytes","logicalType":"decimal","precision":{{precision}},"scale":{{scale}}}""").Decimal
                is not null
        );

    [Fact]
    public void What_stands_beside_a_type_changes_nothing_of_it()
    {
        var schema = AvroSchema.Parse(
            """{"type":{"type":"long","logicalType":"timestamp-micros","connect.name":"io.debezium.time.MicroTimestamp","unknown":{"a":[1]}}}"""
        );
        Assert.Equal(
            (AvroKind.Long, "timestamp-micros", "io.debezium.time.MicroTimestamp"),
            (schema.Kind, schema.LogicalType, schema.ConnectName)
        );
    }
}
