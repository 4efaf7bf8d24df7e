using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

/// <summary>round of a numeric: half away from zero.</summary>
internal sealed class RoundNumericNode(Node<SqlNumeric> operand, int digits) : Node<SqlNumeric>(SqlType.Numeric, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out SqlNumeric value)
    {
        if (!operand.TryGet(row, out value))
            return false;
        value = value.Round(digits);
        return true;
    }
}

/// <summary>round(points::numeric, 2), the declaration of money, in one step. A float4 goes the long way.</summary>
internal sealed class RoundFloatToCentsNode(Node<double> operand, Node<SqlNumeric> rounded) : Node<SqlNumeric>(SqlType.Numeric, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out SqlNumeric value)
    {
        value = default;
        if (!operand.TryGet(row, out var number))
            return false;
        if (operand.WidthIn(row) != sizeof(double))
            return rounded.TryGet(row, out value);
        value = FloatConversion.ToHundredths(number);
        return true;
    }
}

/// <summary>round of a double: half to even, as PostgreSQL's rint.</summary>
internal sealed class RoundFloatNode(Node<double> operand) : Node<double>(SqlType.Double, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out double value)
    {
        if (!operand.TryGet(row, out value))
            return false;
        value = Math.Round(value, MidpointRounding.ToEven);
        return true;
    }
}

internal sealed class NegateFloatNode(Node<double> operand, bool absolute) : Node<double>(operand.Type, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out double value)
    {
        if (!operand.TryGet(row, out value))
            return false;
        value = absolute ? Math.Abs(value) : -value;
        return true;
    }

    public override int WidthIn(SourceRow row) => operand.WidthIn(row);
}

internal sealed class NegateNumericNode(Node<SqlNumeric> operand, bool absolute) : Node<SqlNumeric>(SqlType.Numeric, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out SqlNumeric value)
    {
        if (!operand.TryGet(row, out value))
            return false;
        value = absolute ? value.Abs() : value.Negate();
        return true;
    }
}

/// <summary>The least value of a width has no opposite in it.</summary>
internal sealed class NegateIntegerNode : Node<long>
{
    private readonly Node<long> _operand;
    private readonly bool _absolute;

    public NegateIntegerNode(Node<long> operand, bool absolute)
        : base(operand.Type, operand) => (_operand, _absolute, CanFail) = (operand, absolute, true);

    public override bool TryGet(SourceRow row, out long value)
    {
        if (!_operand.TryGet(row, out value))
            return false;
        if (_absolute && value >= 0)
            return true;
        if (value == IntegerRange.Of(WidthIn(row)).Min)
            throw new EvaluationException($"{value} has no opposite among integers of {WidthIn(row)} bytes");
        value = -value;
        return true;
    }

    public override int WidthIn(SourceRow row) => _operand.WidthIn(row);
}
