using System.Buffers;
using System.Text;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Avro.Resolution;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Tests.Support.Records;

/// <summary>
/// Values of any schema, as <see cref="ResolvedSchema.Read"/> gives them. Ours are read and written without such values; this is for what
/// others make of our schemas.
/// </summary>
internal static class AvroDatum
{
    /// <exception cref="ArgumentException">The value is not of the schema.</exception>
    public static void Write(AvroSchema schema, object? value, IBufferWriter<byte> output)
    {
        var writer = new AvroWriter(output);
        Write(schema, value, ref writer);
        writer.Flush();
    }

    /// <summary>Reads what was written with one schema as another one's value.</summary>
    /// <exception cref="AvroFormatException">The bytes are not of the writer's schema, or a value has no place in the reader's.</exception>
    public static object? Read(AvroSchema writer, AvroSchema reader, ReadOnlySpan<byte> bytes)
    {
        var source = new AvroReader(bytes);
        var value = SchemaResolution.Of(writer, reader).Root.Read(ref source);
        return source.Remaining == 0 ? value : throw new AvroFormatException($"{source.Remaining} bytes are left behind the value.");
    }

    private static void Write(AvroSchema schema, object? value, ref AvroWriter writer)
    {
        switch (schema, value)
        {
            case ({ Kind: AvroKind.Null }, null):
                break;
            case ({ Kind: AvroKind.Boolean }, bool flag):
                writer.WriteBoolean(flag);
                break;
            case ({ Kind: AvroKind.Int }, int number):
                writer.WriteLong(number);
                break;
            case ({ Kind: AvroKind.Long }, long number):
                writer.WriteLong(number);
                break;
            case ({ Kind: AvroKind.Float }, float number):
                writer.WriteFloat(number);
                break;
            case ({ Kind: AvroKind.Double }, double number):
                writer.WriteDouble(number);
                break;
            case ({ Kind: AvroKind.Bytes }, byte[] bytes):
                writer.WriteBytes(bytes);
                break;
            case ({ Kind: AvroKind.String }, string text):
                writer.WriteBytes(Encoding.UTF8.GetBytes(text));
                break;
            case (FixedSchema of, byte[] bytes) when bytes.Length == of.Size:
                writer.WriteRaw(bytes);
                break;
            case (EnumSchema of, string symbol) when of.Symbols.Contains(symbol):
                writer.WriteLong(of.Symbols.ToList().IndexOf(symbol));
                break;
            case (UnionSchema of, _):
                WriteBranch(of, value, ref writer);
                break;
            case (RecordSchema of, AvroRecord record) when record.Values.Count == of.Fields.Count:
                for (var i = 0; i < of.Fields.Count; i++)
                    Write(of.Fields[i].Schema, record.Values[i], ref writer);
                break;
            case (ArraySchema of, IReadOnlyList<object?> items):
                if (items.Count > 0)
                    writer.WriteLong(items.Count);
                foreach (var item in items)
                    Write(of.Items, item, ref writer);
                writer.WriteLong(0);
                break;
            case (MapSchema of, IReadOnlyDictionary<string, object?> items):
                if (items.Count > 0)
                    writer.WriteLong(items.Count);
                foreach (var (key, item) in items)
                {
                    writer.WriteBytes(Encoding.UTF8.GetBytes(key));
                    Write(of.Values, item, ref writer);
                }
                writer.WriteLong(0);
                break;
            default:
                throw new ArgumentException($"{value?.GetType().Name ?? "null"} is not a value of {schema.Kind}.", nameof(value));
        }
    }

    private static void WriteBranch(UnionSchema union, object? value, ref AvroWriter writer)
    {
        for (var branch = 0; branch < union.Branches.Count; branch++)
        {
            if (!Belongs(union.Branches[branch], value))
                continue;
            writer.WriteLong(branch);
            Write(union.Branches[branch], value, ref writer);
            return;
        }
        throw new ArgumentException($"{value?.GetType().Name ?? "null"} is of no branch of the union.", nameof(value));
    }

    private static bool Belongs(AvroSchema branch, object? value) =>
        (branch, value) switch
        {

            ({ Kind: AvroKind.Null }, null)
            or
            ({ Kind: AvroKind.Boolean }, bool)
            or
            ({ Kind: AvroKind.Int }, int)
            or
            ({ Kind: AvroKind.Long }, long)
            or
            ({ Kind: AvroKind.Float }, float)
            or
            ({ Kind: AvroKind.Double }, double)
            or
            ({ Kind: AvroKind.Bytes }, byte[])
            or
            ({ Kind: AvroKind.String }, string)
            or
            (ArraySchema, IReadOnlyList<object?>)
            or (MapSchema, IReadOnlyDictionary<string, object?>) => true,
            (FixedSchema of, byte[] bytes) => bytes.Length == of.Size,
            (EnumSchema of, string symbol) => of.Symbols.Contains(symbol),
            (RecordSchema of, AvroRecord record) => record.Schema.Name == of.Name,
            _ => false,
        };
}
