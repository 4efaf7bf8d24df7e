using System.Text;
using Cdc.Core.Changes;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Records.Columns;

namespace Cdc.Log.Records;

/// <summary>What a record's <c>source</c> says; reused from record to record.</summary>
internal sealed class SourceFields
{
    private readonly List<(int Field, string Text)> _exact = [];
    private bool[] _unchanged = [];
    private bool _anyUnchanged;
    private int _generation;
    private long _ordinal;
    private ulong _commitLsn;

    public ulong Xid { get; private set; }
    public long CommitMicros { get; private set; }
    public long Session { get; private set; }
    public long SessionSequence { get; private set; }
    public bool IsRekey { get; private set; }
    public ChangePosition Position => new(_generation, new Lsn(_commitLsn), _ordinal);

    public void Begin(int rowFields)
    {
        if (_anyUnchanged)
            Array.Clear(_unchanged);
        if (_unchanged.Length < rowFields)
            _unchanged = new bool[rowFields];
        _exact.Clear();
        (_anyUnchanged, IsRekey, Xid, CommitMicros, Session, SessionSequence, _generation, _ordinal, _commitLsn) = (
            false,
            false,
            0,
            0,
            0,
            0,
            0,
            0,
            0
        );
    }

    /// <summary>Some column is unchanged, or has an exact text.</summary>
    public bool HasExceptions => _anyUnchanged || _exact.Count > 0;

    public bool IsUnchanged(int field) => _anyUnchanged && _unchanged[field];

    public string? ExactText(int field)
    {
        foreach (var (place, text) in _exact)
            if (place == field)
                return text;
        return null;
    }

    public void Read(ValuePlan plan, ref AvroReader reader)
    {
        foreach (var (field, step) in plan.Source)
        {
            if (field == SourceField.Other)
                step.Skip(ref reader);
            else if (step.Enter(ref reader))
                Read(field, plan, ref reader);
        }
    }

    private void Read(SourceField field, ValuePlan plan, ref AvroReader reader)
    {
        switch (field)
        {
            case SourceField.TimeMicros:
                CommitMicros = checked(reader.ReadLong() - UnixTime.Micros);
                break;
            case SourceField.Xid:
                Xid = (ulong)reader.ReadLong();
                break;
            case SourceField.CommitLsn:
                _commitLsn = (ulong)reader.ReadLong();
                break;
            case SourceField.Generation:
                _generation = reader.ReadInt();
                break;
            case SourceField.Ordinal:
                _ordinal = reader.ReadLong();
                break;
            case SourceField.Session:
                Session = reader.ReadLong();
                break;
            case SourceField.SessionSequence:
                SessionSequence = reader.ReadLong();
                break;
            case SourceField.Rekey:
                IsRekey = reader.ReadBoolean();
                break;
            case SourceField.Unchanged:
                ReadUnchanged(plan, ref reader);
                break;
            case SourceField.Exact:
                ReadExact(plan, ref reader);
                break;
        }
    }

    private void ReadUnchanged(ValuePlan plan, ref AvroReader reader)
    {
        while (reader.ReadBlock() is var count && count != 0)
            for (; count > 0; count--)
            {
                var field = FieldOf(plan, reader.ReadBytes());
                if (field >= 0)
                    _anyUnchanged = _unchanged[field] = true;
            }
    }

    private void ReadExact(ValuePlan plan, ref AvroReader reader)
    {
        while (reader.ReadBlock() is var count && count != 0)
            for (; count > 0; count--)
            {
                var field = FieldOf(plan, reader.ReadBytes());
                var text = reader.ReadBytes();
                if (field >= 0)
                    _exact.Add((field, Encoding.UTF8.GetString(text)));
            }
    }

    private static int FieldOf(ValuePlan plan, ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < plan.Row.Length; i++)
            if (name.SequenceEqual(plan.Row[i].Name))
                return i;
        return -1;
    }
}
