using Cdc.Log.Avro.Binary;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Records;

/// <summary>How a field of a writer's record is read, which may be optional: a union with null, in either order.</summary>
internal readonly struct FieldPlan
{
    private readonly AvroSchema _declared;
    private readonly int _branches;
    private readonly int _nullBranch;

    public FieldPlan(AvroSchema declared)
    {
        (_declared, Value, _nullBranch) = (declared, declared, -1);
        if (declared is not UnionSchema { Branches: [var first, var second] })
            return;
        _branches = 2;
        _nullBranch =
            first.Kind == AvroKind.Null ? 0
            : second.Kind == AvroKind.Null ? 1
            : -1;
        if (_nullBranch >= 0)
            Value = _nullBranch == 0 ? second : first;
    }

    /// <summary>What is there if it is not null.</summary>
    public AvroSchema Value { get; }

    /// <summary>Stands before the value now, if there is one.</summary>
    public bool Enter(ref AvroReader reader) => _nullBranch < 0 || reader.ReadBranch(_branches) != _nullBranch;

    public void Skip(ref AvroReader reader)
    {
        if (_nullBranch < 0)
            reader.Skip(_declared);
        else if (Enter(ref reader))
            reader.Skip(Value);
    }
}
