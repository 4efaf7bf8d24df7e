using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Records.Columns;

namespace Cdc.Log.Records;

/// <summary>
/// Reads a topic's records by their writers' schemas. Which columns were unchanged, and the exact text of values that have no other form,
/// stand behind the row: only then it is gone through a second time.
/// </summary>
internal sealed class AvroRecordDecoder(string topic, IReadOnlyList<EntityDeclaration> entities, SchemaPlans plans) : IRecordDecoder
{
    private readonly ImageBlocks _images = new();
    private readonly CopyBuffer _image = new();
    private readonly SourceFields _source = new();
    private readonly bool _isPair = entities[0].SecondKey is not null;
    private readonly KeySpelling? _spelling = entities[0].HashedKey is { } hashed ? new KeySpelling(hashed) : null;
    private SourceTransaction? _transaction;

    // Nearly always the last record's are the next one's too.
    private (int Id, ValuePlan Plan)? _value;
    private int? _keyId;

    public Task LearnAsync(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value, CancellationToken ct) =>
        plans.LearnAsync(topic, entities, key, value, ct);

    public bool TryDecode(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, List<ChangeEvent> changes, out RecordStamp stamp)
    {
        stamp = default;
        try
        {
            if (!TryPlan(ConfluentFrame.SchemaId(value), out var plan) || (!key.IsEmpty && !IsKey(ConfluentFrame.SchemaId(key))))
                return false;
            Decode(plan, key, value[ConfluentFrame.Length..], changes);
            stamp = new RecordStamp(_source.Session, _source.SessionSequence);
            return true;
        }
        catch (Exception e) when (e is AvroFormatException or InsufficientExecutionStackException or OverflowException)
        {
            throw new RecordFormatException($"A record of {topic} cannot be read: {e.Message}", e);
        }
    }

    private bool TryPlan(int id, [NotNullWhen(true)] out ValuePlan? plan)
    {
        if (_value is { } known && known.Id == id)
        {
            plan = known.Plan;
            return true;
        }
        if (!plans.TryValue(topic, id, out plan))
            return false;
        _value = (id, plan);
        return true;
    }

    private bool IsKey(int id)
    {
        if (_keyId == id)
            return true;
        if (!plans.IsKey(topic, id))
            return false;
        _keyId = id;
        return true;
    }

    private void Decode(ValuePlan plan, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, List<ChangeEvent> changes)
    {
        var reader = new AvroReader(value);
        var row = -1;
        byte op = 0;
        _source.Begin(plan.Row.Length);
        foreach (var (field, step) in plan.Envelope)
        {
            if (field == EnvelopeField.Other)
                step.Skip(ref reader);
            else if (!step.Enter(ref reader))
                continue;
            else if (field == EnvelopeField.Source)
                _source.Read(plan, ref reader);
            else if (field == EnvelopeField.Op)
                op = reader.ReadBytes() is [var letter] ? letter : (byte)0;
            else
                ReadRow(plan, row = reader.Position, ref reader);
        }
        if (reader.Remaining > 0)
            throw new AvroFormatException($"{reader.Remaining} bytes are left behind the value.");
        if (op == 't')
        {
            changes.Add(
                new TruncateChange
                {
                    Transaction = Transaction(),
                    Position = _source.Position,
                    Schemas = plan.Schemas,
                }
            );
            return;
        }
        if (row >= 0 && _source.HasExceptions)
            ReadRow(plan, row, ref reader);
        var spelled = _spelling is null ? null : SpelledOf(key);
        var number =
            spelled is not null ? KeyHash.Number(spelled)
            : _isPair ? PairOf(key)
            : KeyOf(key);
        AddRows(plan, KindOf(op), (number, spelled), hasRow: row >= 0, changes);
    }

    private void AddRows(ValuePlan plan, RowChangeKind kind, (long Number, byte[]? Spelled) key, bool hasRow, List<ChangeEvent> changes)
    {
        if (!hasRow && kind != RowChangeKind.Delete)
            throw new AvroFormatException("A row has no columns.");
        var image = kind == RowChangeKind.Delete ? default : _images.Copy(_image.WrittenSpan);
        // Of what was read in a chunk there is none.
        var transaction = _source.Position.Ordinal < 0 ? null : Transaction();
        foreach (var schema in plan.Schemas)
            changes.Add(
                new RowChange
                {
                    Transaction = transaction,
                    Schema = schema,
                    Kind = kind,
                    Key = key.Number,
                    SpelledKey = key.Spelled,
                    Position = _source.Position,
                    Image = image,
                    CommitMicros = _source.CommitMicros,
                }
            );
    }

    /// <summary>The row as pgoutput sends it. Exceptions are those that <c>source</c> has named so far.</summary>
    private void ReadRow(ValuePlan plan, int start, ref AvroReader reader)
    {
        reader.Return(start);
        _image.Reset();
        _image.WriteInt16((short)plan.Columns);
        for (var i = 0; i < plan.Row.Length; i++)
        {
            ref readonly var field = ref plan.Row[i];
            if (field.Place < 0)
                field.Plan.Skip(ref reader);
            else if (_source.HasExceptions && TryException(field, i))
                field.Plan.Skip(ref reader);
            else if (!field.Plan.Enter(ref reader))
                _image.WriteByte((byte)'n');
            else
            {
                _image.WriteByte((byte)'b');
                ColumnDecoding.Write(field.Form, ref reader, _image);
            }
        }
    }

    private bool TryException(in RowField field, int place)
    {
        if (_source.IsUnchanged(place))
        {
            _image.WriteByte((byte)'u');
            return true;
        }
        if (_source.ExactText(place) is not { } exact)
            return false;
        _image.WriteByte((byte)'b');
        ColumnDecoding.WriteExact(field.Form, exact, _image);
        return true;
    }

    /// <summary>Rows of one transaction share it.</summary>
    private SourceTransaction Transaction()
    {
        var (xid, lsn, micros) = (_source.Xid, _source.Position.CommitLsn, _source.CommitMicros);
        if (_transaction is not { } last || last.Xid != xid || last.CommitLsn != lsn || last.CommitMicros != micros)
            _transaction = new SourceTransaction(xid, lsn, micros);
        return _transaction;
    }

    private RowChangeKind KindOf(byte op) =>
        (char)op switch
        {
            'c' => _source.IsRekey ? RowChangeKind.Rekey : RowChangeKind.Insert,
            'u' => RowChangeKind.Update,
            'd' => RowChangeKind.Delete,
            'r' => RowChangeKind.Read,
            _ => throw new AvroFormatException($"There is no op {op}."),
        };

    private static long KeyOf(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty)
            throw new AvroFormatException("A row has no key.");
        var reader = new AvroReader(key[ConfluentFrame.Length..]);
        var value = reader.ReadLong();
        return reader.Remaining == 0 ? value : throw new AvroFormatException("A key is one integer.");
    }

    private byte[] SpelledOf(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty)
            throw new AvroFormatException("A row has no key.");
        var reader = new AvroReader(key[ConfluentFrame.Length..]);
        Span<byte> digits = stackalloc byte[20];
        _spelling!.Begin();
        foreach (var column in entities[0].HashedKey!)
        {
            if (column.Type != SourceType.Integer)
            {
                _spelling.AddText(reader.ReadBytes());
                continue;
            }
            Utf8Formatter.TryFormat(reader.ReadLong(), digits, out var length);
            _spelling.AddText(digits[..length]);
        }
        return reader.Remaining == 0 ? _spelling.End() : throw new AvroFormatException("A key has more than its columns.");
    }

    private static long PairOf(ReadOnlySpan<byte> key)
    {
        if (key.IsEmpty)
            throw new AvroFormatException("A row has no key.");
        var reader = new AvroReader(key[ConfluentFrame.Length..]);
        var (first, second) = (reader.ReadLong(), reader.ReadLong());
        return reader.Remaining == 0 && KeyPair.Number(first, second) is { } number
            ? number
            : throw new AvroFormatException("A key is two integers that are not negative.");
    }
}
