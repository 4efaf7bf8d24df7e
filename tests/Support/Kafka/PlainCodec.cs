using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Records;

namespace Cdc.Tests.Support.Kafka;

/// <summary>
/// A codec without schemas and registry, for tests of the log itself: each record says everything, row images as they are.
/// </summary>
public sealed class PlainCodec(EntitySet entities, string prefix) : IRecordCodec
{
    private const int Magic = 0x54455354;
    private const int SequenceAt = sizeof(int) + sizeof(long);

    /// <summary>The same record, as if some of its session were missing before it.</summary>
    public static byte[] WithLaterSequence(byte[] value)
    {
        byte[] changed = [.. value];
        var sequence = changed.AsSpan(SequenceAt);
        BinaryPrimitives.WriteInt64LittleEndian(sequence, BinaryPrimitives.ReadInt64LittleEndian(sequence) + 1000);
        return changed;
    }

    public string TopicOf(EntityDeclaration entity) => $"{prefix}.{entity.SourceSchema}.{entity.SourceTable}";

    public ValueTask<IRecordEncoder> EncoderAsync(TableSchema schema, CancellationToken ct) =>
        ValueTask.FromResult<IRecordEncoder>(new Encoder(schema, TopicOf(entities[schema.Entity])));

    public IRecordDecoder Decoder(string topic) => new RecordDecoder([.. entities.All.Where(e => TopicOf(e) == topic)]);

    private sealed class Encoder(TableSchema schema, string topic) : IRecordEncoder
    {
        public string Topic => topic;

        public void EncodeKey(long key, byte[]? spelled, IBufferWriter<byte> output) => output.Write(BitConverter.GetBytes(key));

        public void EncodeValue(RowChange change, RecordStamp stamp, IBufferWriter<byte> output)
        {
            using var writer = Begin(stamp, change.Position, change.Transaction, change.CommitMicros, out var bytes);
            writer.Write((byte)change.Kind);
            writer.Write(change.Key);
            Write(writer, change.SpelledKey is { } spelled ? new RowImage(spelled, 0, spelled.Length) : default);
            writer.Write((byte)schema.Format);
            writer.Write(schema.Name);
            writer.Write(schema.Columns.Count);
            foreach (var column in schema.Columns)
            {
                writer.Write(column.Name);
                writer.Write(column.TypeOid);
                writer.Write(column.IsKey);
            }
            Write(writer, change.Image);
            Write(writer, change.Before);
            End(writer, bytes, output);
        }

        public void EncodeTruncate(TruncateChange change, RecordStamp stamp, IBufferWriter<byte> output)
        {
            using var writer = Begin(stamp, change.Position, change.Transaction, change.Transaction.CommitMicros, out var bytes);
            writer.Write(byte.MaxValue);
            End(writer, bytes, output);
        }

        private static BinaryWriter Begin(
            RecordStamp stamp,
            ChangePosition position,
            SourceTransaction? transaction,
            long commitMicros,
            out MemoryStream bytes
        )
        {
            var writer = new BinaryWriter(bytes = new MemoryStream(), Encoding.UTF8);
            writer.Write(Magic);
            writer.Write(stamp.Session);
            writer.Write(stamp.Sequence);
            writer.Write(position.Generation);
            writer.Write(position.CommitLsn.Value);
            writer.Write(position.Ordinal);
            writer.Write(transaction?.Xid ?? 0);
            writer.Write(commitMicros);
            return writer;
        }

        private static void Write(BinaryWriter writer, RowImage image)
        {
            writer.Write(image.IsEmpty ? -1 : image.Length);
            if (!image.IsEmpty)
                writer.Write(image.Span);
        }

        private static void End(BinaryWriter writer, MemoryStream bytes, IBufferWriter<byte> output)
        {
            writer.Flush();
            output.Write(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        }
    }

    private sealed class RecordDecoder(IReadOnlyList<EntityDeclaration> ofTopic) : IRecordDecoder
    {
        public bool TryDecode(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, List<ChangeEvent> changes, out RecordStamp stamp)
        {
            try
            {
                using var reader = new BinaryReader(new MemoryStream(value.ToArray()), Encoding.UTF8);
                if (reader.ReadInt32() != Magic)
                    throw new RecordFormatException("it is not one of the plain codec.");
                stamp = new RecordStamp(reader.ReadInt64(), reader.ReadInt64());
                var position = new ChangePosition(reader.ReadInt32(), new Lsn(reader.ReadUInt64()), reader.ReadInt64());
                var (xid, commitMicros) = (reader.ReadUInt64(), reader.ReadInt64());
                var transaction = xid == 0 ? null : new SourceTransaction(xid, position.CommitLsn, commitMicros);
                var kind = reader.ReadByte();
                if (kind == byte.MaxValue)
                    changes.Add(
                        new TruncateChange
                        {
                            Transaction = transaction!,
                            Position = position,
                            Schemas =
                            [
                                .. ofTopic.Select(e => new TableSchema(
                                    e.Index,
                                    0,
                                    e.SourceName,
                                    [],
                                    [],
                                    e.SourceColumns.Count,
                                    RowFormat.PgOutput
                                )),
                            ],
                        }
                    );
                else
                    changes.AddRange(Rows(reader, (RowChangeKind)kind, position, transaction, commitMicros));
                return true;
            }
            catch (EndOfStreamException e)
            {
                throw new RecordFormatException("it ends too early.", e);
            }
        }

        public Task LearnAsync(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken ct) => Task.CompletedTask;

        private IEnumerable<RowChange> Rows(
            BinaryReader reader,
            RowChangeKind kind,
            ChangePosition position,
            SourceTransaction? transaction,
            long commitMicros
        )
        {
            var (key, spelled) = (reader.ReadInt64(), ReadImage(reader));
            var (format, name) = ((RowFormat)reader.ReadByte(), reader.ReadString());
            var columns = new ColumnSchema[reader.ReadInt32()];
            for (var i = 0; i < columns.Length; i++)
                columns[i] = new ColumnSchema(reader.ReadString(), reader.ReadUInt32(), reader.ReadBoolean());
            var (image, before) = (ReadImage(reader), ReadImage(reader));
            return
            [
                .. ofTopic.Select(entity => new RowChange
                {
                    Transaction = transaction,
                    Schema = new TableSchema(
                        entity.Index,
                        0,
                        name,
                        columns,
                        [.. columns.Select(c => entity.SourceColumns.FirstOrDefault(s => s.Name == c.Name)?.Slot ?? -1)],
                        entity.SourceColumns.Count,
                        format
                    ),
                    Kind = kind,
                    Key = key,
                    SpelledKey = spelled.IsEmpty ? null : spelled.Span.ToArray(),
                    Position = position,
                    Image = image,
                    Before = before,
                    CommitMicros = commitMicros,
                }),
            ];
        }

        private static RowImage ReadImage(BinaryReader reader)
        {
            var length = reader.ReadInt32();
            return length < 0 ? default : new RowImage(reader.ReadBytes(length), 0, length);
        }
    }
}
