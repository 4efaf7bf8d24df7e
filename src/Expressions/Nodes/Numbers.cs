using System.Buffers.Binary;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

/// <summary>A column of any type of numbers, before it is cast. By itself it is only asked whether it is NULL.</summary>
internal sealed class NumberColumnNode : Node
{
    public NumberColumnNode(SourceColumn column)
        : base(SqlType.AnyNumber) => (Column, Bytes, Inputs) = (column, new TextColumnNode(column), 1UL << column.Slot);

    public SourceColumn Column { get; }

    /// <summary>What is on the wire.</summary>
    public TextColumnNode Bytes { get; }
}

/// <summary>A cast to numeric of a column of any type of numbers: of the type that it has in this row.</summary>
internal sealed class NumberToNumericNode : Node<SqlNumeric>
{
    private readonly int _slot;
    private readonly bool _toCents;

    /// <param name="toCents">round(column::numeric, 2): of a double in one step.</param>
    public NumberToNumericNode(SourceColumn column, bool toCents = false)
        : base(SqlType.Numeric) => (Column, _slot, _toCents, Inputs) = (column, column.Slot, toCents, 1UL << column.Slot);

    public SourceColumn Column { get; }

    public override bool TryGet(SourceRow row, out SqlNumeric value)
    {
        value = default;
        if (row.StateOf(_slot) != ColumnState.Value)
            return false;
        var type = row.TypeOf(_slot);
        var bytes = row.BytesOf(_slot);
        if (_toCents && type == TypeOids.Float8)
            value = FloatConversion.ToHundredths(BinaryPrimitives.ReadDoubleBigEndian(bytes));
        else
            value = AnyNumber.Read(type, bytes);
        if (_toCents)
            value = value.Round(2);
        return true;
    }
}
