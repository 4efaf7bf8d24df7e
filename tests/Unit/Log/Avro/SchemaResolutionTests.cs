using System.Buffers;
using Cdc.Expressions.Nodes;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Avro.Resolution;
using Cdc.Log.Avro.Schemas;
using Cdc.Tests.Support.Records;
using Xunit;

namespace Cdc.Tests.Unit.Log.Avro;

/// <summary>What one schema wrote, read as another's.</summary>
public sealed class SchemaResolutionTests
{
    [Theory]
    [InlineData("int", "long", 7, 7L)]
    [InlineData("int", "float", 7, 7f)]
    [InlineData("int", "double", 7, 7d)]
    [InlineData("long", "float", 7L, 7f)]
    [InlineData("long", "double", 7L, 7d)]
    [InlineData("float", "double", 0.5f, 0.5d)]
    public void Numbers_are_promoted(string writer, string reader, object written, object read)
    {
        Assert.Equal(read, Reread($"\"{writer}\"", $"\"{reader}\"", written));
        Assert.NotEmpty(Problems($"\"{reader}\"", $"\"{writer}\""));
    }

    [Fact]
    public void Text_and_bytes_are_read_as_each_other()
    {
        Assert.Equal("ä"u8.ToArray(), Reread("\"string\"", "\"bytes\"", "ä"));
        Assert.Equal("ä", Reread("\"bytes\"", "\"string\"", "ä"u8.ToArray()));
    }

    [Fact]
    public void Fields_are_found_by_name_or_alias_passed_over_or_taken_from_their_defaults()
    {
        var writer = Record(
            "r",
            """{"name":"a","type":"int"},{"name":"old","type":"string"},{"name":"gone","type":{"type":"map","values":"string"}}"""
        );
        var reader = Record(
            "s",
            """
            {"name":"new","aliases":["old"],"type":"string"},{"name":"added","type":["null","int"],"default":null},
            {"name":"list","type":{"type":"array","items":"long"},"default":[1,2]},{"name":"raw","type":"bytes","default":"\u00FF"},{"name":"a","type":"long"}
            """,
            "\"aliases\":[\"r\"],"
        );
        var written = new AvroRecord((RecordSchema)AvroSchema.Parse(writer), [7, "x", new Dictionary<string, object?> { ["k"] = "v" }]);
        var read = (AvroRecord)Reread(writer, reader, written)!;
        Assert.Equal(("x", null, 7L), (read["new"], read["added"], read["a"]));
        Assert.Equal([1L, 2L], (IReadOnlyList<object?>)read["list"]!);
        Assert.Equal([0xFF], (byte[])read["raw"]!);
    }

    [Fact]
    public void A_field_without_a_default_cannot_be_done_without()
    {
        var (without, with) = (
            Record("r", """{"name":"a","type":"int"}"""),
            Record("r", """{"name":"a","type":"int"},{"name":"b","type":"int"}""")
        );
        Assert.Contains("/b", Assert.Single(Problems(without, with)));
        Assert.Empty(Problems(with, without));
    }

    [Fact]
    public void A_unions_branch_is_the_first_that_takes_the_value()
    {
        Assert.Equal(7L, Reread("\"int\"", """["null","long","double"]""", 7));
        Assert.Equal("7", Reread("""["int","string"]""", """["string","int"]""", "7"));
        Assert.Empty(Problems("""["null","int"]""", """["double","null"]"""));
        Assert.NotEmpty(Problems("""["null","int"]""", "\"int\""));
        // The branch that fits is read all the same; the other one is refused when it comes.
        Assert.Equal(7, Reread("""["null","int"]""", "\"int\"", 7));
        Assert.Throws<AvroFormatException>(() => Reread("""["null","int"]""", "\"int\"", null));
    }

    [Fact]
    public void A_record_of_the_same_name_does_not_hide_the_branch_that_fits()
    {
        var writer = Record("r", """{"name":"a","type":"string"}""");
        var reader = $$"""[{{Record("x.r", """{"name":"b","type":"int"}""")}},{{Record("y.r", """{"name":"a","type":"string"}""")}}]""";
        Assert.Equal("v", ((AvroRecord)Reread(writer, reader, new AvroRecord((RecordSchema)AvroSchema.Parse(writer), ["v"]))!)["a"]);
    }

    [Fact]
    public void A_symbol_that_the_reader_does_not_know_becomes_its_default()
    {
        const string writer = """{"type":"enum","name":"e","symbols":["A","B"]}""";
        Assert.Equal("A", Reread(writer, """{"type":"enum","name":"e","symbols":["A"],"default":"A"}""", "B"));
        Assert.NotEmpty(Problems(writer, """{"type":"enum","name":"e","symbols":["A"]}"""));
    }

    [Fact]
    public void Lists_that_contain_themselves_are_resolved_and_read()
    {
        var writer = Record("Node", """{"name":"value","type":"int"},{"name":"next","type":["null","Node"]}""");
        var reader = Record(
            "Node",
            """{"name":"value","type":"long"},{"name":"next","type":["null","Node"]},{"name":"note","type":"string","default":"-"}"""
        );
        var schema = (RecordSchema)AvroSchema.Parse(writer);
        var read = (AvroRecord)Reread(writer, reader, new AvroRecord(schema, [1, new AvroRecord(schema, [2, null])]))!;
        Assert.Equal((1L, 2L, "-"), (read["value"], ((AvroRecord)read["next"]!)["value"], ((AvroRecord)read["next"]!)["note"]));
        Assert.NotEmpty(Problems(reader, writer));
    }

    [Fact]
    public void Decimals_are_read_as_wider_ones_and_never_at_another_scale()
    {
        Assert.Empty(Problems(Decimal(9, 2), Decimal(12, 2)));
        Assert.Contains("decimal(9,2)", Assert.Single(Problems(Decimal(9, 2), Decimal(12, 4))));
        Assert.NotEmpty(Problems(Decimal(12, 2), Decimal(9, 2)));
        Assert.NotEmpty(Problems($$"""["null",{{Decimal(9, 2)}}]""", $$"""["null",{{Decimal(9, 3)}}]"""));
    }

    [Fact]
    public void Records_that_name_each_other_in_a_long_row_of_unions_are_gone_through_once()
    {
        // Each is asked twice of the one before it; gone through anew each time this would be 2^200 steps.
        string Row(string end) =>
            $"[{Record("r0", $$"""{"name":"f","type":"{{end}}"}""")},{string.Join(',', Enumerable.Range(1, 200).Select(i => Record($"r{i}", $$"""{"name":"f","type":["null","r{{i - 1}}"]}""")))}]";
        Assert.Empty(Problems(Row("int"), Row("long")));
        Assert.NotEmpty(Problems(Row("long"), Row("int")));
    }

    [Fact]
    public void Records_nested_beyond_the_stack_are_refused()
    {
        var deep =
            $"[{Record("r0", """{"name":"f","type":"int"}""")},{string.Join(',', Enumerable.Range(1, 100_000).Select(i => Record($"r{i}", $$"""{"name":"f","type":"r{{i - 1}}"}""")))}]";
        var top = AvroSchema.Parse(deep) as UnionSchema;
        Assert.Throws<AvroSchemaException>(() =>
            SchemaResolution.Of(top!.Branches[^1], AvroSchema.Parse(deep) is UnionSchema other ? other.Branches[^1] : top)
        );
    }

    private static string Decimal(int precision, int scale) =>
        $$"""{"type":"bytes","logicalType":"decimal","precision":{{precision}},"scale":{{scale}}}""";

    private static string Record(string name, string fields, string more = "") =>
        $$"""{"type":"record","name":"{{name}}",{{more}}"fields":[{{fields}}]}""";

    private static IReadOnlyList<string> Problems(string writer, string reader) =>
        SchemaResolution.Of(AvroSchema.Parse(writer), AvroSchema.Parse(reader)).Problems;

    private static object? Reread(string writer, string reader, object? value)
    {
        var output = new ArrayBufferWriter<byte>();
        AvroDatum.Write(AvroSchema.Parse(writer), value, output);
        return AvroDatum.Read(AvroSchema.Parse(writer), AvroSchema.Parse(reader), output.WrittenSpan);
    }
}
