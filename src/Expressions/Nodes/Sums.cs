using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

internal enum Arithmetic
{
    Add,
    Subtract,
    Multiply,
}

/// <summary>In the wider type of both, which must hold the result.</summary>
internal sealed class IntegerArithmeticNode : Node<long>
{
    private readonly Arithmetic _operation;
    private readonly Node<long> _left;
    private readonly Node<long> _right;

    public IntegerArithmeticNode(Arithmetic operation, Node<long> left, Node<long> right)
        : base(Conversions.Widest([left, right]), left, right) => (_operation, _left, _right, CanFail) = (operation, left, right, true);

    public override bool TryGet(SourceRow row, out long value)
    {
        value = 0;
        if (!(_left.TryGet(row, out var a) & _right.TryGet(row, out var b)))
            return false;
        Int128 result = _operation switch
        {
            Arithmetic.Add => (Int128)a + b,
            Arithmetic.Subtract => (Int128)a - b,
            _ => (Int128)a * b,
        };
        value = (long)result;
        if (value != result || !IntegerRange.Of(WidthIn(row)).Contains(value))
            throw new EvaluationException($"{result} is out of range for integers of {WidthIn(row)} bytes");
        return true;
    }

    public override int WidthIn(SourceRow row) => WidestIn(row, _left, _right);
}

/// <summary>Of two float4 in their own precision. PostgreSQL refuses what becomes infinite, and a product that becomes zero.</summary>
internal sealed class FloatArithmeticNode : Node<double>
{
    private readonly Arithmetic _operation;
    private readonly Node<double> _left;
    private readonly Node<double> _right;

    public FloatArithmeticNode(Arithmetic operation, Node<double> left, Node<double> right)
        : base(Conversions.Widest([left, right]), left, right) => (_operation, _left, _right, CanFail) = (operation, left, right, true);

    public override bool TryGet(SourceRow row, out double value)
    {
        value = 0;
        if (!(_left.TryGet(row, out var a) & _right.TryGet(row, out var b)))
            return false;
        value = WidthIn(row) == sizeof(float) ? Single((float)a, (float)b) : Double(a, b);
        if (double.IsInfinity(value) && !double.IsInfinity(a) && !double.IsInfinity(b))
            throw new EvaluationException("the value is too large for a float");
        if (value == 0 && _operation == Arithmetic.Multiply && a != 0 && b != 0)
            throw new EvaluationException("the value is too small for a float");
        return true;
    }

    public override int WidthIn(SourceRow row) => WidestIn(row, _left, _right);

    private double Double(double a, double b) =>
        _operation switch
        {
            Arithmetic.Add => a + b,
            Arithmetic.Subtract => a - b,
            _ => a * b,
        };

    private float Single(float a, float b) =>
        _operation switch
        {
            Arithmetic.Add => a + b,
            Arithmetic.Subtract => a - b,
            _ => a * b,
        };
}

internal sealed class NumericArithmeticNode : Node<SqlNumeric>
{
    private readonly Arithmetic _operation;
    private readonly Node<SqlNumeric> _left;
    private readonly Node<SqlNumeric> _right;

    public NumericArithmeticNode(Arithmetic operation, Node<SqlNumeric> left, Node<SqlNumeric> right)
        : base(SqlType.Numeric, left, right) => (_operation, _left, _right, CanFail) = (operation, left, right, true);

    public override bool TryGet(SourceRow row, out SqlNumeric value)
    {
        value = default;
        if (!(_left.TryGet(row, out var a) & _right.TryGet(row, out var b)))
            return false;
        value = _operation switch
        {
            Arithmetic.Add => SqlNumeric.Add(a, b),
            Arithmetic.Subtract => SqlNumeric.Add(a, b.Negate()),
            _ => SqlNumeric.Multiply(a, b),
        };
        if (!value.FitsNumeric)
            throw new EvaluationException("the value is too large for numeric");
        return true;
    }
}
