using System.Buffers;
using System.Collections;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Avro.Resolution;
using Cdc.Log.Avro.Schemas;
using Cdc.Log.Registry;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Records;
using Xunit;
using Apache = Avro;

namespace Cdc.Tests.Unit.Log.Avro;

/// <summary>
/// Apache.Avro as oracle of our schema model, encoding and resolution: random schemas and values (<c>CDC_TEST_SEED=n</c> draws the same ones
/// again), in all that it can do. What it cannot is named where it is left out.
/// </summary>
public sealed class ApacheAvroTests
{
    private const int Rounds = 2_000;

    [Fact]
    public void Random_values_of_random_schemas_have_the_same_bytes_and_are_read_as_each_other_wrote_them() =>
        Draw(random =>
        {
            var text = new RandomSchema(random).Next(3).ToJsonString();
            var (ours, theirs) = (AvroSchema.Parse(text), Apache.Schema.Parse(text));
            var (our, their) = Value(random, ours, theirs);
            var bytes = Write(ours, our);
            Assert.Equal(Convert.ToHexString(WriteTheirs(theirs, their)), Convert.ToHexString(bytes));
            Assert.Equal(Show(our), Show(AvroDatum.Read(ours, ours, bytes)));
            Assert.Equal(Show(our), Show(ReadTheirs(theirs, theirs, bytes)));
            return text;
        });

    [Fact]
    public void A_random_schema_as_Apaches_library_writes_it_says_the_same() =>
        Draw(random =>
        {
            var text = new RandomSchema(random).Next(3).ToJsonString();
            Assert.Equal(SchemaForm.Of(text), SchemaForm.Of(Apache.Schema.Parse(text).ToString()));
            return text;
        });

    [Fact]
    public void What_another_version_of_the_schema_can_read_both_read_alike()
    {
        var (read, refused) = (0, 0);
        Draw(random =>
        {
            var schemas = new RandomSchema(random);
            var written = schemas.Record(2);
            var (writer, reader) = (written.ToJsonString(), schemas.Changed(written).ToJsonString());
            var (ours, theirs) = (AvroSchema.Parse(writer), Apache.Schema.Parse(writer));
            var (our, _) = Value(random, ours, theirs);
            var bytes = Write(ours, our);
            var our2 = Outcome(() => AvroDatum.Read(ours, AvroSchema.Parse(reader), bytes));
            var their2 = Outcome(() => ReadTheirs(theirs, Apache.Schema.Parse(reader), bytes));
            // Compatible is what reads every value: this one too, and both read the same. Of two versions that are not, each library may
            // refuse more than it must (Apache's any value, ours one for which no branch of a union is right in all its parts); but none
            // reads another value.
            var compatible = SchemaResolution.Of(ours, AvroSchema.Parse(reader)).Problems.Count == 0;
            Assert.True(
                compatible ? our2 == their2 && our2 != Refused : our2 == Refused || their2 == Refused || our2 == their2,
                $"{writer} read as {reader}: {our2} here, {their2} there, compatible: {compatible}"
            );
            _ = compatible ? read++ : refused++;
            return $"{writer} → {reader}";
        });
        Assert.True(read > Rounds / 10 && refused > Rounds / 10, $"{read} were compatible, {refused} not: the schemas say too little.");
    }

    [Theory]
    [InlineData("\"nothing\"")]
    [InlineData("""["int","int"]""")]
    [InlineData("""["int",["string"]]""")]
    [InlineData("""{"type":"record","name":"r"}""")]
    [InlineData("""{"type":"record","fields":[]}""")]
    [InlineData("""{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}""")]
    [InlineData("""{"type":"enum","name":"e","symbols":["A","A"]}""")]
    [InlineData("""{"type":"array"}""")]
    [InlineData("{")]
    public void What_is_no_schema_is_none_to_either(string text)
    {
        Assert.Throws<AvroSchemaException>(() => AvroSchema.Parse(text));
        Assert.ThrowsAny<Exception>(() => Apache.Schema.Parse(text));
    }

    private const string Refused = "(refused)";

    private static string Outcome(Func<object?> read)
    {
        try
        {
            return Show(read());
        }
        catch (Exception e) when (e is AvroFormatException or AvroSchemaException or Apache.AvroException)
        {
            return Refused;
        }
    }

    private static void Draw(Func<Random, string> round)
    {
        var seed = TestSeed.Draw();
        for (var i = 0; i < Rounds; i++)
            round(new Random(unchecked(seed + i)));
    }

    private static byte[] Write(AvroSchema schema, object? value)
    {
        var output = new ArrayBufferWriter<byte>();
        AvroDatum.Write(schema, value, output);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] WriteTheirs(Apache.Schema schema, object? value)
    {
        using var output = new MemoryStream();
        new Apache.Generic.GenericDatumWriter<object?>(schema).Write(value, new Apache.IO.BinaryEncoder(output));
        return output.ToArray();
    }

    private static object? ReadTheirs(Apache.Schema writer, Apache.Schema reader, byte[] bytes)
    {
        using var input = new MemoryStream(bytes);
        return new Apache.Generic.GenericDatumReader<object?>(writer, reader).Read(null, new Apache.IO.BinaryDecoder(input));
    }

    private static (object? Ours, object? Theirs) Value(Random random, AvroSchema ours, Apache.Schema theirs)
    {
        switch (ours)
        {
            case RecordSchema record:
                var (our, their) = (new object?[record.Fields.Count], new Apache.Generic.GenericRecord((Apache.RecordSchema)theirs));
                for (var i = 0; i < our.Length; i++)
                {
                    (our[i], var value) = Value(random, record.Fields[i].Schema, ((Apache.RecordSchema)theirs).Fields[i].Schema);
                    their.Add(i, value);
                }
                return (new AvroRecord(record, our), their);
            case ArraySchema array:
                var items = Enumerable
                    .Range(0, random.Next(4))
                    .Select(_ => Value(random, array.Items, ((Apache.ArraySchema)theirs).ItemSchema))
                    .ToList();
                return (items.Select(i => i.Ours).ToList(), items.Select(i => i.Theirs).ToArray());
            case MapSchema map:
                var entries = Enumerable
                    .Range(0, random.Next(4))
                    .Select(i => (Key: $"k{i}ä", Value: Value(random, map.Values, ((Apache.MapSchema)theirs).ValueSchema)))
                    .ToList();
                return (entries.ToDictionary(e => e.Key, e => e.Value.Ours), entries.ToDictionary(e => e.Key, e => e.Value.Theirs));
            case UnionSchema union:
                var branch = random.Next(union.Branches.Count);
                return Value(random, union.Branches[branch], ((Apache.UnionSchema)theirs).Schemas[branch]);
            case EnumSchema symbols:
                var symbol = symbols.Symbols[random.Next(symbols.Symbols.Count)];
                return (symbol, new Apache.Generic.GenericEnum((Apache.EnumSchema)theirs, symbol));
            case FixedSchema size:
                var bytes = Bytes(random, size.Size);
                return (bytes, new Apache.Generic.GenericFixed((Apache.FixedSchema)theirs, bytes));
        }
        object? primitive = ours.Kind switch
        {
            AvroKind.Null => null,
            AvroKind.Boolean => random.Next(2) == 1,
            AvroKind.Int => Pick(random, int.MinValue, int.MaxValue, -1, 64, random.Next()),
            AvroKind.Long => Pick(random, long.MinValue, long.MaxValue, -65, 1L << 53, random.NextInt64()),
            AvroKind.Float => Pick(random, float.NaN, float.NegativeInfinity, -0f, float.Epsilon, random.NextSingle()),
            AvroKind.Double => Pick(random, double.NaN, double.MaxValue, -0d, double.Epsilon, random.NextDouble()),
            AvroKind.Bytes => Bytes(random, random.Next(200)),
            _ => string.Concat(Enumerable.Range(0, random.Next(80)).Select(_ => Pick(random, "a", "ß", "日", "😀", "\0"))),
        };
        return (primitive, primitive);
    }

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static T Pick<T>(Random random, params T[] values) => values[random.Next(values.Length)];

    /// <summary>A value as text, with its type; the same for both libraries.</summary>
    private static string Show(object? value) =>
        value switch
        {
            null => "null",
            bool truth => truth ? "true" : "false",
            int number => $"int {number}",
            long number => $"long {number}",
            float number => $"float {BitConverter.SingleToInt32Bits(number)}",
            double number => $"double {BitConverter.DoubleToInt64Bits(number)}",
            string text => $"'{text}'",
            Apache.Generic.GenericEnum symbol => $"'{symbol.Value}'",
            byte[] bytes => Convert.ToHexString(bytes),
            Apache.Generic.GenericFixed bytes => Convert.ToHexString(bytes.Value),
            AvroRecord record =>
                $"{record.Schema.Name.Full}{{{string.Join(',', record.Schema.Fields.Select((f, i) => $"{f.Name}:{Show(record.Values[i])}"))}}}",
            Apache.Generic.GenericRecord record =>
                $"{record.Schema.Fullname}{{{string.Join(',', record.Schema.Fields.Select(f => $"{f.Name}:{Show(record.GetValue(f.Pos))}"))}}}",
            IDictionary map =>
                $"<{string.Join(',', map.Keys.Cast<string>().Order(StringComparer.Ordinal).Select(k => $"{k}:{Show(map[k])}"))}>",
            IEnumerable items => $"[{string.Join(',', items.Cast<object?>().Select(Show))}]",
            _ => throw new NotSupportedException(value.GetType().ToString()),
        };
}
