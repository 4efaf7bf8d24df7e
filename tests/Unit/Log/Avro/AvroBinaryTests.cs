using System.Buffers;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Avro.Resolution;
using Cdc.Log.Avro.Schemas;
using Cdc.Tests.Support.Records;
using Xunit;

namespace Cdc.Tests.Unit.Log.Avro;

/// <summary>The examples of the Avro specification, and bytes that must do no harm.</summary>
public sealed class AvroBinaryTests
{
    [Theory]
    [InlineData(0, "00")]
    [InlineData(-1, "01")]
    [InlineData(1, "02")]
    [InlineData(-2, "03")]
    [InlineData(-64, "7F")]
    [InlineData(64, "8001")]
    [InlineData(long.MaxValue, "FEFFFFFFFFFFFFFFFF01")]
    [InlineData(long.MinValue, "FFFFFFFFFFFFFFFFFF01")]
    public void Numbers_are_zigzag_numbers_of_variable_length(long value, string hex)
    {
        Assert.Equal(hex, Hex("\"long\"", value));
        Assert.Equal(value, Read("\"long\"", hex));
    }

    [Fact]
    public void The_specifications_examples_are_written_and_read_as_it_says()
    {
        const string record = """{"type":"record","name":"test","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]}""";
        Assert.Equal("3606666F6F", Hex(record, new AvroRecord((RecordSchema)AvroSchema.Parse(record), [27L, "foo"])));
        Assert.Equal([27L, "foo"], ((AvroRecord)Read(record, "3606666F6F")!).Values);
        Assert.Equal("04063600", Hex("""{"type":"array","items":"long"}""", new List<object?> { 3L, 27L }));
        Assert.Equal("00", Hex("""["null","string"]""", null));
        Assert.Equal("020261", Hex("""["null","string"]""", "a"));
        Assert.Equal("04", Hex("""{"type":"enum","name":"Foo","symbols":["A","B","C","D"]}""", "C"));
        Assert.Equal("000000000000F83F", Hex("\"double\"", 1.5));
        Assert.Equal("0000C03F", Hex("\"float\"", 1.5f));
        Assert.Equal("0206666F6F0200", Hex("""{"type":"map","values":"int"}""", new Dictionary<string, object?> { ["foo"] = 1 }));
    }

    [Fact]
    public void A_block_may_say_its_size_in_bytes()
    {
        Assert.Equal([3L, 27L], (IReadOnlyList<object?>)Read("""{"type":"array","items":"long"}""", "0304063600")!);
        // Passed over by that size: the reader has no such field.
        const string writer =
            """{"type":"record","name":"r","fields":[{"name":"gone","type":{"type":"array","items":"long"}},{"name":"kept","type":"int"}]}""";
        const string reader = """{"type":"record","name":"r","fields":[{"name":"kept","type":"int"}]}""";
        Assert.Equal(
            [5],
            ((AvroRecord)AvroDatum.Read(AvroSchema.Parse(writer), AvroSchema.Parse(reader), Convert.FromHexString("03040636000A"))!).Values
        );
    }

    [Theory]
    [InlineData("\"long\"", "")]
    [InlineData("\"long\"", "80")]
    [InlineData("\"long\"", "FFFFFFFFFFFFFFFFFF02")]
    [InlineData("\"int\"", "8080808010")]
    [InlineData("\"boolean\"", "02")]
    [InlineData("\"string\"", "0661")]
    [InlineData("\"bytes\"", "01")]
    [InlineData("\"double\"", "00")]
    [InlineData("""["null","int"]""", "04")]
    [InlineData("""{"type":"array","items":"null"}""", "FEFFFFFFFFFFFFFFFF01")]
    [InlineData("""{"type":"array","items":"null"}""", "FFFFFFFFFFFFFFFFFF0100")]
    [InlineData("""{"type":"enum","name":"e","symbols":["A"]}""", "02")]
    [InlineData("\"int\"", "0200")]
    public void What_cannot_be_a_value_is_refused(string schema, string hex) => Assert.Throws<AvroFormatException>(() => Read(schema, hex));

    [Fact]
    public void A_record_that_contains_itself_cannot_exhaust_the_stack()
    {
        const string endless = """{"type":"record","name":"r","fields":[{"name":"r","type":"r"}]}""";
        Assert.Throws<InsufficientExecutionStackException>(() => Read(endless, ""));
    }

    private static string Hex(string schema, object? value)
    {
        var output = new ArrayBufferWriter<byte>();
        AvroDatum.Write(AvroSchema.Parse(schema), value, output);
        return Convert.ToHexString(output.WrittenSpan);
    }

    private static object? Read(string schema, string hex) =>
        AvroDatum.Read(AvroSchema.Parse(schema), AvroSchema.Parse(schema), Convert.FromHexString(hex));
}
