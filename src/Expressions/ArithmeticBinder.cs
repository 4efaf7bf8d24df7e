using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>Sums, products, opposites: of integers, numeric and floats, with the type that PostgreSQL gives them.</summary>
internal sealed class ArithmeticBinder(Binder binder)
{
    public Node Bind(OperatorSyntax at)
    {
        Node a = binder.Bind(at.Left),
            b = binder.Bind(at.Right);
        if (a is UntypedNode && b is UntypedNode)
            throw Binder.Wrong(
                at,
                $"of two literals without type PostgreSQL cannot tell which {at.Operator} is meant",
                "Cast one of them."
            );
        foreach (var operand in (Node[])[a, b])
            if (operand is not UntypedNode && !operand.Type.IsNumber)
                throw Binder.Wrong(at, $"{at.Operator} is for numbers, this is {operand.Type}", "Cast it: ::numeric.");
        var (left, right) = Conversions.ToOperands(at, (at.Left, a), (at.Right, b));
        var operation = at.Operator switch
        {
            "+" => Arithmetic.Add,
            "-" => Arithmetic.Subtract,
            _ => Arithmetic.Multiply,
        };
        return (left, right) switch
        {
            (Node<long> x, Node<long> y) => new IntegerArithmeticNode(operation, x, y),
            (Node<double> x, Node<double> y) => new FloatArithmeticNode(operation, x, y),
            (Node<SqlNumeric> x, Node<SqlNumeric> y) => new NumericArithmeticNode(operation, x, y),
            _ => throw new InvalidOperationException($"Operands of {at.Operator} are {left.Type} and {right.Type}."),
        };
    }

    /// <summary>The opposite or the absolute value.</summary>
    public static Node Negation(Syntax at, Node operand, bool absolute) =>
        operand switch
        {
            Node<double> number => new NegateFloatNode(number, absolute),
            Node<SqlNumeric> number => new NegateNumericNode(number, absolute),
            Node<long> { Type.Family: SqlFamily.Integer } number => new NegateIntegerNode(number, absolute),
            _ => throw Binder.Wrong(at, $"a number is needed, this is {operand.Type}", "Cast it to numeric."),
        };
}
