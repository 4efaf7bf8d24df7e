using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Records.Columns;

namespace Cdc.Log.Records;

/// <summary>
/// Writes the rows of one table schema as Debezium's envelope. The order of the writes is that of <see cref="EnvelopeSchema"/>.
/// </summary>
internal sealed class AvroRecordEncoder : IRecordEncoder
{
    /// <summary>Debezium's default; in a column of text or bytes it stands for a value that the UPDATE did not send.</summary>
    public static readonly byte[] Placeholder = "__debezium_unavailable_value"u8.ToArray();

    private readonly TopicColumn[] _columns;
    private readonly byte[][] _fieldNames;
    private readonly TableSchema _byColumn;
    private readonly SourceBlock _source;
    private readonly SourceKey _key;
    private readonly byte[] _keyFrame;
    private readonly byte[] _valueFrame;
    private readonly TimeProvider _time;
    private readonly SourceRow _after;
    private readonly SourceRow _before;
    private readonly List<(TopicColumn Column, byte[] Text)> _parts = [];
    private readonly List<int> _unchanged = [];
    private readonly List<(int Column, string Text)> _exact = [];

    public AvroRecordEncoder(string topic, TableSchema schema, RegisteredTable registered, SourceBlock source, TimeProvider time)
    {
        var columns = registered.Columns;
        (Topic, _columns, _key, _source, _time) = (topic, [.. columns], registered.Key, source, time);
        (_keyFrame, _valueFrame) = (ConfluentFrame.Of(registered.KeyId), ConfluentFrame.Of(registered.ValueId));
        _fieldNames = [.. columns.Select(c => Encoding.UTF8.GetBytes(c.Field))];
        int[] places = [.. schema.Columns.Select(c => columns.ToList().FindIndex(t => t.Column == c.Name))];
        _byColumn = new TableSchema(schema.Entity, schema.RelationOid, schema.Name, schema.Columns, places, columns.Count, schema.Format);
        (_after, _before) = (new SourceRow(columns.Count), new SourceRow(columns.Count));
    }

    public string Topic { get; }

    public void EncodeKey(long key, byte[]? spelled, IBufferWriter<byte> output)
    {
        var writer = new AvroWriter(output);
        writer.WriteRaw(_keyFrame);
        if (_key.IsHashed)
        {
            foreach (var column in Read(spelled))
                Write(column, ref writer);
        }
        else if (_key.IsPair)
        {
            writer.WriteLong(KeyPair.First(key));
            writer.WriteLong(KeyPair.Second(key));
        }
        else
        {
            writer.WriteLong(key);
        }
        writer.Flush();
    }

    public void EncodeValue(RowChange change, RecordStamp stamp, IBufferWriter<byte> output)
    {
        if (_key.IsHashed)
            Read(change.SpelledKey);
        var writer = new AvroWriter(output);
        writer.WriteRaw(_valueFrame);
        WriteBefore(change, ref writer);
        WriteAfter(change, ref writer);
        _source.Write(change, stamp, ref writer);
        WriteExceptions(ref writer);
        WriteEnd(OpOf(change.Kind), ref writer);
        writer.Flush();
    }

    public void EncodeTruncate(TruncateChange change, RecordStamp stamp, IBufferWriter<byte> output)
    {
        var writer = new AvroWriter(output);
        writer.WriteRaw(_valueFrame);
        writer.WriteByte(0);
        writer.WriteByte(0);
        _source.Write(change, stamp, ref writer);
        Forget();
        WriteExceptions(ref writer);
        WriteEnd((byte)'t', ref writer);
        writer.Flush();
    }

    /// <summary>As Debezium: the old row where the replica identity is FULL, and for a delete at least its key.</summary>
    private void WriteBefore(RowChange change, ref AvroWriter writer)
    {
        var isWanted = change.Kind is RowChangeKind.Update or RowChangeKind.Delete;
        if (!change.Before.IsEmpty)
        {
            _before.Read(change.Before, _byColumn);
            if (isWanted)
            {
                writer.WriteByte(2);
                WriteRow(_before, ref writer);
                return;
            }
        }
        writer.WriteByte(change.Kind == RowChangeKind.Delete ? (byte)2 : (byte)0);
        if (change.Kind != RowChangeKind.Delete)
            return;
        foreach (var column in _columns)
        {
            if (column.IsKey && _key.IsHashed)
                Write(PartOf(column), ref writer);
            else if (column.IsKey)
                writer.WriteLong(ValueOf(change.Key, column));
            else
                writer.WriteByte(0);
        }
    }

    /// <summary>The columns of a key that is known by a hash, in its order, each with its text.</summary>
    private List<(TopicColumn Column, byte[] Text)> Read(byte[]? spelled)
    {
        if (spelled is null)
            throw new InvalidDataException($"A row of {_byColumn.Name} came without its key.");
        _parts.Clear();
        var texts = KeySpelling.Parts(spelled, _key.Columns.Count);
        for (var i = 0; i < texts.Count; i++)
            _parts.Add((_columns.First(c => c.Column == _key.Columns[i]), texts[i]));
        return _parts;
    }

    private (TopicColumn Column, byte[] Text) PartOf(TopicColumn column) => _parts.Find(p => ReferenceEquals(p.Column, column));

    private static void Write((TopicColumn Column, byte[] Text) part, ref AvroWriter writer)
    {
        if (part.Column.Form.Kind is ColumnKind.Int16 or ColumnKind.Int32 or ColumnKind.Int64)
            writer.WriteLong(
                Utf8Parser.TryParse(part.Text, out long number, out _) ? number : throw new InvalidDataException("A key is no integer.")
            );
        else
            writer.WriteBytes(part.Text);
    }

    private long ValueOf(long key, TopicColumn column) =>
        !_key.IsPair ? key
        : column.Column == _key.Columns[0] ? KeyPair.First(key)
        : KeyPair.Second(key);

    private void WriteAfter(RowChange change, ref AvroWriter writer)
    {
        // It does not matter what the old row lacked: only the new one is applied.
        Forget();
        if (change.Kind == RowChangeKind.Delete)
        {
            writer.WriteByte(0);
            return;
        }
        _after.Read(change.Image, _byColumn);
        if (_after.IsPartial && !change.Before.IsEmpty)
            _after.FillUnknownFrom(_before);
        writer.WriteByte(2);
        WriteRow(_after, ref writer);
    }

    private void WriteRow(SourceRow row, ref AvroWriter writer)
    {
        for (var i = 0; i < _columns.Length; i++)
        {
            var column = _columns[i];
            var state = row.StateOf(i);
            if (column.IsKey && _key.IsHashed)
            {
                // The row may lack a large one that has not changed.
                Write(PartOf(column), ref writer);
            }
            else if (column.IsKey)
            {
                if (state != ColumnState.Value)
                    throw new InvalidDataException($"A row of {_byColumn.Name} came without its key.");
                writer.WriteLong(Core.Postgres.Values.SourceValue.Integer(row.BytesOf(i)));
            }
            else if (state == ColumnState.Value)
            {
                if (ColumnEncoding.WriteOptional(column.Form, row.BytesOf(i), ref writer) is { } exact)
                    _exact.Add((i, exact));
            }
            else if (state == ColumnState.Null)
            {
                writer.WriteByte(0);
            }
            else
            {
                WriteUnchanged(i, column.Form, ref writer);
            }
        }
    }

    private void WriteUnchanged(int column, in ColumnForm form, ref AvroWriter writer)
    {
        _unchanged.Add(column);
        writer.WriteByte(form.HasPlaceholder ? (byte)2 : (byte)0);
        if (form.HasPlaceholder)
            writer.WriteBytes(Placeholder);
    }

    /// <summary>The last two fields of <c>source</c>: an array and a map.</summary>
    private void WriteExceptions(ref AvroWriter writer)
    {
        if (_unchanged.Count > 0)
            writer.WriteLong(_unchanged.Count);
        foreach (var column in _unchanged)
            writer.WriteBytes(_fieldNames[column]);
        writer.WriteByte(0);
        if (_exact.Count > 0)
            writer.WriteLong(_exact.Count);
        foreach (var (column, text) in _exact)
        {
            writer.WriteBytes(_fieldNames[column]);
            writer.WriteBytes(Encoding.UTF8.GetBytes(text));
        }
        writer.WriteByte(0);
    }

    private void WriteEnd(byte op, ref AvroWriter writer)
    {
        var micros = (_time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        writer.WriteByte(0); // no transaction block
        writer.WriteByte(2); // the length 1, as a zigzag number
        writer.WriteByte(op);
        SourceBlock.WriteTimes(micros, ref writer);
    }

    private void Forget()
    {
        _unchanged.Clear();
        _exact.Clear();
    }

    private static byte OpOf(RowChangeKind kind) =>
        kind switch
        {
            RowChangeKind.Update => (byte)'u',
            RowChangeKind.Delete => (byte)'d',
            RowChangeKind.Read => (byte)'r',
            _ => (byte)'c',
        };
}
