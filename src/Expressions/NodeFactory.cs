using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>Picks the generic node for a type. Operands have one type already.</summary>
internal static class NodeFactory
{
    public static Node<bool> Compare(Comparison comparison, Node left, Node right) =>
        (left, right) switch
        {
            (Node<long> a, Node<long> b) => new CompareNode<long, IntegerOrdering>(comparison, a, b),
            (Node<double> a, Node<double> b) => new CompareNode<double, FloatOrdering>(comparison, a, b),
            (Node<SqlNumeric> a, Node<SqlNumeric> b) => new CompareNode<SqlNumeric, NumericOrdering>(comparison, a, b),
            (Node<bool> a, Node<bool> b) => new CompareNode<bool, BooleanOrdering>(comparison, a, b),
            (Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Jsonb } a, Node<ReadOnlySpan<byte>> b) => new CompareNode<
                ReadOnlySpan<byte>,
                JsonbEquality
            >(comparison, a, b),
            _ => new CompareNode<ReadOnlySpan<byte>, TextOrdering>(
                comparison,
                (Node<ReadOnlySpan<byte>>)left,
                (Node<ReadOnlySpan<byte>>)right
            ),
        };

    public static Node<bool> Distinct(bool negated, Node left, Node right) =>
        (left, right) switch
        {
            (Node<long> a, Node<long> b) => new DistinctNode<long, IntegerOrdering>(negated, a, b),
            (Node<double> a, Node<double> b) => new DistinctNode<double, FloatOrdering>(negated, a, b),
            (Node<SqlNumeric> a, Node<SqlNumeric> b) => new DistinctNode<SqlNumeric, NumericOrdering>(negated, a, b),
            (Node<bool> a, Node<bool> b) => new DistinctNode<bool, BooleanOrdering>(negated, a, b),
            (Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Jsonb } a, Node<ReadOnlySpan<byte>> b) => new DistinctNode<
                ReadOnlySpan<byte>,
                JsonbEquality
            >(negated, a, b),
            _ => new DistinctNode<ReadOnlySpan<byte>, TextOrdering>(
                negated,
                (Node<ReadOnlySpan<byte>>)left,
                (Node<ReadOnlySpan<byte>>)right
            ),
        };

    public static Node<bool> In(bool negated, Node operand, Node[] items) =>
        operand switch
        {
            Node<long> a => new InNode<long, IntegerOrdering>(negated, a, All<long>(items)),
            Node<double> a => new InNode<double, FloatOrdering>(negated, a, All<double>(items)),
            Node<SqlNumeric> a => new InNode<SqlNumeric, NumericOrdering>(negated, a, All<SqlNumeric>(items)),
            Node<bool> a => new InNode<bool, BooleanOrdering>(negated, a, All<bool>(items)),
            Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Jsonb } a => new InNode<ReadOnlySpan<byte>, JsonbEquality>(
                negated,
                a,
                All<ReadOnlySpan<byte>>(items)
            ),
            _ => new InNode<ReadOnlySpan<byte>, TextOrdering>(negated, (Node<ReadOnlySpan<byte>>)operand, All<ReadOnlySpan<byte>>(items)),
        };

    public static Node NullIf(Node left, Node right) =>
        (left, right) switch
        {
            (Node<long> a, Node<long> b) => new NullIfNode<long, IntegerOrdering>(left.Type, a, b),
            (Node<double> a, Node<double> b) => new NullIfNode<double, FloatOrdering>(left.Type, a, b),
            (Node<SqlNumeric> a, Node<SqlNumeric> b) => new NullIfNode<SqlNumeric, NumericOrdering>(left.Type, a, b),
            (Node<bool> a, Node<bool> b) => new NullIfNode<bool, BooleanOrdering>(left.Type, a, b),
            (Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Jsonb } a, Node<ReadOnlySpan<byte>> b) => new NullIfNode<
                ReadOnlySpan<byte>,
                JsonbEquality
            >(left.Type, a, b),
            _ => new NullIfNode<ReadOnlySpan<byte>, TextOrdering>(
                left.Type,
                (Node<ReadOnlySpan<byte>>)left,
                (Node<ReadOnlySpan<byte>>)right
            ),
        };

    public static Node<bool> IsNull(bool negated, Node operand) =>
        operand.NullSource switch
        {
            Node<long> a => new IsNullNode<long>(negated, a),
            Node<double> a => new IsNullNode<double>(negated, a),
            Node<SqlNumeric> a => new IsNullNode<SqlNumeric>(negated, a),
            Node<bool> a => new IsNullNode<bool>(negated, a),
            var a => new IsNullNode<ReadOnlySpan<byte>>(negated, (Node<ReadOnlySpan<byte>>)a),
        };

    public static Node Coalesce(SqlType type, Node[] operands) =>
        operands[0] switch
        {
            Node<long> => new CoalesceNode<long>(type, All<long>(operands)),
            Node<double> => new CoalesceNode<double>(type, All<double>(operands)),
            Node<SqlNumeric> => new CoalesceNode<SqlNumeric>(type, All<SqlNumeric>(operands)),
            Node<bool> => new CoalesceNode<bool>(type, All<bool>(operands)),
            _ => new CoalesceNode<ReadOnlySpan<byte>>(type, All<ReadOnlySpan<byte>>(operands)),
        };

    /// <summary>Not for jsonb, which has no order here.</summary>
    public static Node MinMax(bool greatest, SqlType type, Node[] operands) =>
        operands[0] switch
        {
            Node<long> => new MinMaxNode<long, IntegerOrdering>(greatest, type, All<long>(operands)),
            Node<double> => new MinMaxNode<double, FloatOrdering>(greatest, type, All<double>(operands)),
            Node<SqlNumeric> => new MinMaxNode<SqlNumeric, NumericOrdering>(greatest, type, All<SqlNumeric>(operands)),
            Node<bool> => new MinMaxNode<bool, BooleanOrdering>(greatest, type, All<bool>(operands)),
            _ => new MinMaxNode<ReadOnlySpan<byte>, TextOrdering>(greatest, type, All<ReadOnlySpan<byte>>(operands)),
        };

    public static Node Case(Node<bool>[] whens, Node[] thens, Node otherwise)
    {
        var type = Conversions.Widest([.. thens, otherwise]);
        return otherwise switch
        {
            Node<long> a => new CaseNode<long>(type, whens, All<long>(thens), a),
            Node<double> a => new CaseNode<double>(type, whens, All<double>(thens), a),
            Node<SqlNumeric> a => new CaseNode<SqlNumeric>(type, whens, All<SqlNumeric>(thens), a),
            Node<bool> a => new CaseNode<bool>(type, whens, All<bool>(thens), a),
            _ => new CaseNode<ReadOnlySpan<byte>>(type, whens, All<ReadOnlySpan<byte>>(thens), (Node<ReadOnlySpan<byte>>)otherwise),
        };
    }

    private static Node<T>[] All<T>(Node[] nodes)
        where T : allows ref struct => Array.ConvertAll(nodes, n => (Node<T>)n);
}
