using System.Buffers.Text;
using System.Numerics;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

/// <summary>Between integer widths.</summary>
internal sealed class IntegerCastNode : Node<long>
{
    private readonly Node<long> _operand;
    private readonly IntegerRange _range;

    public IntegerCastNode(Node<long> operand, int width)
        : base(new SqlType(SqlFamily.Integer, width), operand)
    {
        (_operand, _range) = (operand, IntegerRange.Of(width));
        CanFail |= width < 8;
    }

    public override bool TryGet(SourceRow row, out long value)
    {
        if (!_operand.TryGet(row, out value))
            return false;
        if (!_range.Contains(value))
            throw new EvaluationException($"{value} is out of range for {Type}");
        return true;
    }
}

internal sealed class IntegerToNumericNode(Node<long> operand) : Node<SqlNumeric>(SqlType.Numeric, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out SqlNumeric value)
    {
        var known = operand.TryGet(row, out var integer);
        value = new(integer, 0);
        return known;
    }
}

internal sealed class IntegerToFloatNode(Node<long> operand) : Node<double>(SqlType.Double, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out double value)
    {
        var known = operand.TryGet(row, out var integer);
        value = integer;
        return known;
    }
}

/// <summary>Whether it is a float4 or a double decides how many digits count.</summary>
internal sealed class FloatToNumericNode(Node<double> operand) : Node<SqlNumeric>(SqlType.Numeric, operand)
{
    protected override Node? Mapped => operand;

    public Node<double> Operand => operand;

    public override bool TryGet(SourceRow row, out SqlNumeric value)
    {
        value = default;
        if (!operand.TryGet(row, out var number))
            return false;
        var digits = operand.WidthIn(row) == sizeof(float) ? FloatConversion.SingleDigits : FloatConversion.DoubleDigits;
        value = FloatConversion.ToNumeric(number, digits);
        return true;
    }
}

/// <summary>A cast to double precision of what is a float already: only its type becomes certain.</summary>
internal sealed class FloatCastNode(Node<double> operand) : Node<double>(SqlType.Double, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out double value) => operand.TryGet(row, out value);
}

internal sealed class FloatToIntegerNode : Node<long>
{
    private readonly Node<double> _operand;
    private readonly double _limit;

    public FloatToIntegerNode(Node<double> operand, int width)
        : base(new SqlType(SqlFamily.Integer, width), operand) => (_operand, _limit, CanFail) = (operand, Math.Pow(2, width * 8 - 1), true);

    public override bool TryGet(SourceRow row, out long value)
    {
        value = 0;
        if (!_operand.TryGet(row, out var number))
            return false;
        var rounded = Math.Round(number, MidpointRounding.ToEven);
        if (!(rounded >= -_limit && rounded < _limit))
            throw new EvaluationException($"{number} is out of range for {Type}");
        value = (long)rounded;
        return true;
    }
}

internal sealed class NumericToFloatNode : Node<double>
{
    private readonly Node<SqlNumeric> _operand;

    public NumericToFloatNode(Node<SqlNumeric> operand)
        : base(SqlType.Double, operand) => (_operand, CanFail) = (operand, true);

    public override bool TryGet(SourceRow row, out double value)
    {
        value = 0;
        if (!_operand.TryGet(row, out var number))
            return false;
        if (!FloatConversion.TryToDouble(number, out value))
            throw new EvaluationException("out of range for double precision");
        return true;
    }
}

internal sealed class NumericToIntegerNode : Node<long>
{
    private readonly Node<SqlNumeric> _operand;
    private readonly IntegerRange _range;

    public NumericToIntegerNode(Node<SqlNumeric> operand, int width)
        : base(new SqlType(SqlFamily.Integer, width), operand) => (_operand, _range, CanFail) = (operand, IntegerRange.Of(width), true);

    public override bool TryGet(SourceRow row, out long value)
    {
        value = 0;
        if (!_operand.TryGet(row, out var number))
            return false;
        BigInteger rounded = number.Round(0).Unscaled;
        if (!number.IsFinite || rounded < _range.Min || rounded > _range.Max)
            throw new EvaluationException($"{number} is out of range for {Type}");
        value = (long)rounded;
        return true;
    }
}

/// <summary>To numeric(p,s): rounds, and fails where the digits before the point do not fit.</summary>
internal sealed class NumericCastNode : Node<SqlNumeric>
{
    private readonly Node<SqlNumeric> _operand;
    private readonly SqlNumeric _limit;

    public NumericCastNode(Node<SqlNumeric> operand, SqlType type)
        : base(type, operand) => (_operand, _limit, CanFail) = (operand, NumericBound.Of(type), true);

    public override bool TryGet(SourceRow row, out SqlNumeric value)
    {
        if (!_operand.TryGet(row, out value))
            return false;
        value = value.Round(Type.Scale);
        if (!NumericBound.Holds(value, _limit))
            throw new EvaluationException($"the value is too large for {Type}");
        return true;
    }
}

internal sealed class IntegerToTextNode(Node<long> operand) : Node<ReadOnlySpan<byte>>(SqlType.Text, operand)
{
    private readonly byte[] _buffer = new byte[20];

    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!operand.TryGet(row, out var integer))
            return false;
        Utf8Formatter.TryFormat(integer, _buffer, out var length);
        value = _buffer.AsSpan(0, length);
        return true;
    }
}

/// <summary>Of a column: nothing else is a uuid.</summary>
internal sealed class UuidToTextNode : Node<ReadOnlySpan<byte>>
{
    private readonly byte[] _buffer = new byte[36];
    private readonly int _slot;

    public UuidToTextNode(SourceColumn column)
        : base(SqlType.Text) => (_slot, Inputs) = (column.Slot, 1UL << column.Slot);

    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (row.StateOf(_slot) != ColumnState.Value)
            return false;
        Utf8Formatter.TryFormat(new Guid(row.BytesOf(_slot), bigEndian: true), _buffer, out _);
        value = _buffer;
        return true;
    }
}

internal sealed class NumericToTextNode(Node<SqlNumeric> operand) : Node<ReadOnlySpan<byte>>(SqlType.Text, operand)
{
    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!operand.TryGet(row, out var number))
            return false;
        value = Encoding.UTF8.GetBytes(number.ToString());
        return true;
    }
}

internal sealed class BooleanToTextNode(Node<bool> operand) : Node<ReadOnlySpan<byte>>(SqlType.Text, operand)
{
    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value)
    {
        var known = operand.TryGet(row, out var truth);
        value = truth ? "true"u8 : "false"u8;
        return known;
    }
}

/// <summary>AT TIME ZONE 'UTC': the same microseconds, with or without a zone; infinities stay what they are.</summary>
internal sealed class UtcNode(Node<long> operand, SqlType type) : Node<long>(type, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out long value) => operand.TryGet(row, out value);
}
