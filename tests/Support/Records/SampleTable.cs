using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Records;

namespace Cdc.Tests.Support.Records;

/// <summary>
/// A table with a column of every type that topics know, and what is needed to bring its rows into a topic and back, without a server.
/// </summary>
public sealed class SampleTable
{
    public static readonly IReadOnlyList<ColumnSchema> AllTypes =
    [
        new("id", 23, true),
        new("b", 16, false),
        new("i2", 21, false),
        new("i4", 23, false),
        new("i8", 20, false),
        new("f4", 700, false),
        new("f8", 701, false),
        new("t", 25, false),
        new("v", 1043, false),
        new("d", 1082, false),
        new("ts", 1114, false),
        new("tz", 1184, false),
        new("n", 1700, false),
        new("n92", 1700, false, (9 << 16 | 2) + 4),
        new("u", 2950, false),
        new("j", 114, false),
        new("bin", 17, false),
        new("jb", 3802, false),
    ];

    public SampleTable(
        IReadOnlyList<ColumnSchema>? columns = null,
        SchemasInMemory? schemas = null,
        TimestampUnit timestamps = TimestampUnit.Micros
    )
    {
        columns ??= AllTypes;
        Schemas = schemas ?? new SchemasInMemory();
        Entities = new EntitySet([DeclarationOf(columns)]);
        Schema = SchemaOf(columns);
        Codec = new AvroRecordCodec(Entities, "odoo", "odoo", "1.2.3", Schemas, TimeProvider.System) { Timestamps = timestamps };
    }

    public SchemasInMemory Schemas { get; }
    public EntitySet Entities { get; }
    public TableSchema Schema { get; }
    public AvroRecordCodec Codec { get; }
    public string Topic => Codec.TopicOf(Entities[0]);

    /// <summary>A row as pgoutput sends it: each column's binary value, null, or <see cref="Unchanged"/>.</summary>
    public static RowImage Image(IReadOnlyList<byte[]?> values)
    {
        var image = new CopyBuffer();
        image.WriteInt16((short)values.Count);
        foreach (var value in values)
        {
            image.WriteByte(
                (byte)(
                    value is null ? 'n'
                    : ReferenceEquals(value, Unchanged) ? 'u'
                    : 'b'
                )
            );
            if (value is not null && !ReferenceEquals(value, Unchanged))
                image.WriteField(value);
        }
        return new RowImage(image.WrittenSpan.ToArray(), 0, image.Length);
    }

    /// <summary>As a column's value: a TOAST value that was not sent.</summary>
    public static byte[] Unchanged { get; } = "(unchanged)"u8.ToArray();

    public RowChange Change(
        RowChangeKind kind,
        long key,
        IReadOnlyList<byte[]?>? row,
        IReadOnlyList<byte[]?>? before = null,
        ChangePosition? position = null
    ) =>
        new()
        {
            Transaction =
                kind == RowChangeKind.Read ? null : new SourceTransaction((1UL << 32) + 77, new Lsn(0x16_B374_D848), 843_000_000_000_001),
            Schema = Schema,
            Kind = kind,
            Key = key,
            Position = position ?? new ChangePosition(3, new Lsn(0x16_B374_D848), kind == RowChangeKind.Read ? -12 : 5),
            Image = row is null ? default : Image(row),
            Before = before is null ? default : Image(before),
            CommitMicros = 843_000_000_000_001,
        };

    /// <summary>The record's key and value.</summary>
    public async Task<(byte[] Key, byte[] Value)> EncodeAsync(RowChange change, RecordStamp stamp = default)
    {
        var encoder = await Codec.EncoderAsync(change.Schema, CancellationToken.None);
        var (key, value) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
        encoder.EncodeKey(change.Key, change.SpelledKey, key);
        encoder.EncodeValue(change, stamp, value);
        return (key.WrittenSpan.ToArray(), value.WrittenSpan.ToArray());
    }

    /// <summary>What a record says.</summary>
    public async Task<(ChangeEvent Change, RecordStamp Stamp)> DecodeAsync(byte[] key, byte[] value)
    {
        var (decoder, changes) = (Codec.Decoder(Topic), new List<ChangeEvent>());
        if (!decoder.TryDecode(key, value, changes, out var stamp))
        {
            await decoder.LearnAsync(key, value, CancellationToken.None);
            if (!decoder.TryDecode(key, value, changes, out stamp))
                throw new InvalidOperationException("The decoder does not know what it has learnt.");
        }
        return (changes.Single(), stamp);
    }

    /// <summary>
    /// The columns of a row that was decoded, by the declaration's order: the binary value, null, or <see cref="Unchanged"/>.
    /// </summary>
    public static IReadOnlyList<byte[]?> Values(RowChange change)
    {
        var row = new SourceRow(change.Schema.Slots);
        row.Read(change.Image, change.Schema);
        return
        [
            .. Enumerable
                .Range(0, row.Slots)
                .Select(slot =>
                    row.StateOf(slot) switch
                    {
                        ColumnState.Value => row.BytesOf(slot).ToArray(),
                        ColumnState.Null => null,
                        _ => Unchanged,
                    }
                ),
        ];
    }

    public static byte[] Int16(short value) => Bytes(2, b => BinaryPrimitives.WriteInt16BigEndian(b, value));

    public static byte[] Int32(int value) => Bytes(4, b => BinaryPrimitives.WriteInt32BigEndian(b, value));

    public static byte[] Int64(long value) => Bytes(8, b => BinaryPrimitives.WriteInt64BigEndian(b, value));

    public static byte[] Float4(float value) => Bytes(4, b => BinaryPrimitives.WriteSingleBigEndian(b, value));

    public static byte[] Float8(double value) => Bytes(8, b => BinaryPrimitives.WriteDoubleBigEndian(b, value));

    public static byte[] Text(string value) => Encoding.UTF8.GetBytes(value);

    /// <summary>unscaled / 10^scale, as a numeric.</summary>
    public static byte[] Numeric(long unscaled, int scale)
    {
        var field = new CopyBuffer();
        NumericFormat.WriteField(new SqlNumeric(unscaled, scale), field);
        return field.WrittenSpan[sizeof(int)..].ToArray();
    }

    private static TableSchema SchemaOf(IReadOnlyList<ColumnSchema> columns) =>
        new(0, 4711, "public.sample", columns, [.. Enumerable.Range(0, columns.Count)], columns.Count, RowFormat.PgOutput);

    private static EntityDeclaration DeclarationOf(IReadOnlyList<ColumnSchema> columns)
    {
        SourceColumn[] declared = [.. columns.Select((c, slot) => new SourceColumn(slot, c.Name, TypeOf(c.TypeOid)))];
        return new EntityDeclaration
        {
            Index = 0,
            Name = "sample",
            SourceSchema = "public",
            SourceTable = "sample",
            EngineSchema = "public",
            EngineTable = "samples",
            Key = declared[0],
            EngineKey = "id",
            SourceColumns = declared,
            Columns = [],
            Rules = [],
            Parents = [],
        };
    }

    private static SourceType TypeOf(uint oid) => Enum.GetValues<SourceType>().First(t => SourceTypes.CanRead(t, oid));

    private static byte[] Bytes(int length, Action<byte[]> write)
    {
        var bytes = new byte[length];
        write(bytes);
        return bytes;
    }
}
