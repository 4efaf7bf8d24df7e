using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Records.Columns;

namespace Cdc.Log.Records;

/// <summary>
/// Reads a topic's records by their writers' schemas. A row is gone through twice: which columns were unchanged, and the exact text of
/// values that have no other form, stand behind it.
/// </summary>
internal sealed class AvroRecordDecoder(string topic, IReadOnlyList<EntityDeclaration> entities, SchemaPlans plans) : IRecordDecoder
{
    private readonly ImageBlocks _images = new();
    private readonly CopyBuffer _image = new();
    private SourceFields _source = new();
    private int[] _places = [];
    private SourceTransaction? _transaction;

    public Task LearnAsync(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken ct) => plans.LearnAsync(topic, entities, key, value, ct);

    public bool TryDecode(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, List<ChangeEvent> changes, out RecordStamp stamp)
    {
        stamp = default;
        try
        {
            if (!plans.TryValue(topic, ConfluentFrame.SchemaId(value), out var plan)) return false;
            if (!key.IsEmpty && !plans.IsKey(topic, ConfluentFrame.SchemaId(key))) return false;
            Decode(plan, key, value[ConfluentFrame.Length..], changes);
            stamp = new RecordStamp(_source.Session, _source.SessionSequence);
            return true;
        }
        catch (Exception e) when (e is AvroFormatException or InsufficientExecutionStackException or OverflowException)
        {
            throw new RecordFormatException($"A record of {topic} cannot be read: {e.Message}", e);
        }
    }

    private void Decode(ValuePlan plan, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, List<ChangeEvent> changes)
    {
        var reader = new AvroReader(value);
        var after = -1;
        byte op = 0;
        _source.Begin(plan.Row.Length);
        foreach (var (field, step) in plan.Envelope)
        {
            if (field == EnvelopeField.Other) step.Skip(ref reader);
            else if (!step.Enter(ref reader)) continue;
            else if (field == EnvelopeField.Source) _source.Read(plan, ref reader);
            else if (field == EnvelopeField.Op) op = reader.ReadBytes() is [var letter] ? letter : (byte)0;
            else after = FindPlaces(plan, ref reader);
        }
        if (reader.Remaining > 0) throw new AvroFormatException($"{reader.Remaining} bytes are left behind the value.");
        if (op == 't') changes.Add(new TruncateChange { Transaction = Transaction(), Position = _source.Position, Schemas = plan.Schemas });
        else AddRows(plan, KindOf(op), KeyOf(key), after >= 0 ? BuildImage(plan, reader) : default, changes);
    }

    private void AddRows(ValuePlan plan, RowChangeKind kind, long key, RowImage image, List<ChangeEvent> changes)
    {
        if (kind == RowChangeKind.Delete) image = default;
        else if (image.IsEmpty) throw new AvroFormatException("A row has no columns.");
        var transaction = kind == RowChangeKind.Read ? null : Transaction();
        foreach (var schema in plan.Schemas)
            changes.Add(new RowChange { Transaction = transaction, Schema = schema, Kind = kind, Key = key, Position = _source.Position, Image = image, CommitMicros = _source.CommitMicros });
    }

    /// <summary>Where each column's value begins; -1: it is null. Goes behind the row.</summary>
    private int FindPlaces(ValuePlan plan, ref AvroReader reader)
    {
        if (_places.Length < plan.Row.Length) _places = new int[plan.Row.Length];
        var start = reader.Position;
        for (var i = 0; i < plan.Row.Length; i++)
        {
            ref readonly var field = ref plan.Row[i];
            if (field.Place < 0)
            {
                field.Plan.Skip(ref reader);
                continue;
            }
            _places[i] = field.Plan.Enter(ref reader) ? reader.Position : -1;
            if (_places[i] >= 0) reader.Skip(field.Plan.Value);
        }
        return start;
    }

    private RowImage BuildImage(ValuePlan plan, AvroReader reader)
    {
        _image.Reset();
        _image.WriteInt16((short)plan.Columns);
        for (var i = 0; i < plan.Row.Length; i++)
        {
            ref readonly var field = ref plan.Row[i];
            if (field.Place < 0) continue;
            if (_source.IsUnchanged(i))
            {
                _image.WriteByte((byte)'u');
            }
            else if (_source.ExactText(i) is { } exact)
            {
                _image.WriteByte((byte)'b');
                ColumnDecoding.WriteExact(field.Form, exact, _image);
            }
            else if (_places[i] < 0)
            {
                _image.WriteByte((byte)'n');
            }
            else
            {
                _image.WriteByte((byte)'b');
                reader.Return(_places[i]);
                ColumnDecoding.Write(field.Form, ref reader, _image);
            }
        }
        return _images.Copy(_image.WrittenSpan);
    }

    /// <summary>Rows of one transaction share it.</summary>
    private SourceTransaction Transaction()
    {
        var (xid, lsn, micros) = (_source.Xid, _source.Position.CommitLsn, _source.CommitMicros);
        if (_transaction is not { } last || last.Xid != xid || last.CommitLsn != lsn || last.CommitMicros != micros) _transaction = new SourceTransaction(xid, lsn, micros);
        return _transaction;
    }

    private RowChangeKind KindOf(byte op) => (char)op switch
    {
        'c' => _source.IsRekey ? RowChangeKind.Rekey : RowChangeKind.Insert,
        'u' => RowChangeKind.Update,
        'd' => RowChangeKind.Delete,
        'r' => RowChangeKind.Read,
        _ => throw new AvroFormatException($"There is no op {op}."),
    };

    private static long KeyOf(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty) throw new AvroFormatException("A row has no key.");
        var reader = new AvroReader(key[ConfluentFrame.Length..]);
        var value = reader.ReadLong();
        return reader.Remaining == 0 ? value : throw new AvroFormatException("A key is one integer.");
    }
}
