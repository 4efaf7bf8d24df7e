using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>Casts, and PostgreSQL's implicit conversions.</summary>
internal static class Conversions
{
    private const string WidthUnknown = "the column may be float4 or float8 in the source, and the result would differ";

    /// <summary>An explicit cast.</summary>
    public static Node Cast(Syntax at, Node operand, SqlType to) =>
        (operand, to.Family) switch
        {
            (UntypedNode, _) => Coerce(at, operand, to),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Integer) => new IntegerCastNode(from, to.Width),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Numeric) => Bounded(new IntegerToNumericNode(from), to),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Float) => new IntegerToFloatNode(from),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Text) => new IntegerToTextNode(from),
            (Node<double> from, SqlFamily.Numeric) => Bounded(FloatToNumeric(at, from), to),
            (Node<double> from, SqlFamily.Integer) => new FloatToIntegerNode(from, to.Width),
            (Node<double> from, SqlFamily.Float) => new FloatCastNode(from),
            (Node<SqlNumeric> from, SqlFamily.Numeric) => Bounded(from, to),
            (Node<SqlNumeric> from, SqlFamily.Integer) => new NumericToIntegerNode(from, to.Width),
            (Node<SqlNumeric> from, SqlFamily.Float) => new NumericToFloatNode(from),
            (Node<SqlNumeric> from, SqlFamily.Text) => new NumericToTextNode(from),
            (Node<bool> from, SqlFamily.Text) => new BooleanToTextNode(from),
            _ when operand.Type.Family == to.Family => operand,
            _ => throw Binder.Wrong(
                at,
                $"a cast from {operand.Type} to {to} is not supported",
                "Supported: between integers, numeric and double precision; from integers, numeric and boolean to text; literals to any type."
            ),
        };

    /// <summary>PostgreSQL's implicit conversions: it types a literal, and widens integer to numeric to double precision.</summary>
    public static Node Coerce(Syntax at, Node operand, SqlType to) =>
        (operand, to.Family) switch
        {
            (UntypedNode literal, _) => Literals.Typed(literal.Text, to)
                ?? throw Binder.Wrong(
                    at,
                    $"'{literal.Text}' is not a value of {to} that is the same everywhere",
                    "Cast the other side to a type of known width, or write the literal in full (2026-01-31 12:00:00, behind it +00 for timestamptz)."
                ),
            _ when operand.Type.Family == to.Family => operand,
            (ConstantNode<long> { Type.Family: SqlFamily.Integer } c, SqlFamily.Float) => new ConstantNode<double>(
                SqlType.Double,
                c.Constant
            ),
            (ConstantNode<SqlNumeric> c, SqlFamily.Float) => new ConstantNode<double>(SqlType.Double, FloatConversion.ToDouble(c.Constant)),
            (ConstantNode<long> { Type.Family: SqlFamily.Integer } c, SqlFamily.Numeric) => new ConstantNode<SqlNumeric>(
                SqlType.Numeric,
                new SqlNumeric(c.Constant, 0)
            ),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Numeric) => new IntegerToNumericNode(from),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Float) => new IntegerToFloatNode(from),
            (Node<SqlNumeric> from, SqlFamily.Float) => new NumericToFloatNode(from),
            _ => throw Binder.Wrong(
                at,
                $"{to} is needed, this is {operand.Type}",
                $"Cast it: ::{(to.Width == 0 && to.Family == SqlFamily.Integer ? "bigint" : to)}."
            ),
        };

    /// <summary>The family in which two types are compared.</summary>
    public static SqlFamily ComparedAs(Syntax at, SqlType left, SqlType right) =>
        (left.Family, right.Family) switch
        {
            (SqlFamily.Untyped, SqlFamily.Untyped) => SqlFamily.Text,
            (SqlFamily.Untyped, var family) => family,
            (var family, SqlFamily.Untyped) => family,
            var (a, b) when a == b => a,
            (SqlFamily.Float, _) when right.IsNumber => SqlFamily.Float,
            (_, SqlFamily.Float) when left.IsNumber => SqlFamily.Float,
            _ when left.IsNumber && right.IsNumber => SqlFamily.Numeric,
            _ => throw Binder.Wrong(at, $"{left} cannot be compared with {right}", "Cast one of them."),
        };

    /// <summary>For IN, CASE and COALESCE: all to one type.</summary>
    public static Node[] ToCommonType(Syntax at, Syntax[] places, Node[] nodes)
    {
        var family = nodes
            .Select(n => n.Type)
            .Where(t => t.Family != SqlFamily.Untyped)
            .Aggregate(SqlType.Untyped, (a, b) => new SqlType(ComparedAs(at, a, b)))
            .Family;
        if (family == SqlFamily.Untyped)
            family = SqlFamily.Text;
        var width = Widest([.. nodes.Where(n => n.Type.Family == family)]).Width;
        if (family == SqlFamily.Float && width == 0)
            RequireExact(places, nodes);
        var result = new Node[nodes.Length];
        for (var i = 0; i < nodes.Length; i++)
            result[i] = Coerce(places[i], nodes[i], new SqlType(family, width));
        return result;
    }

    /// <summary>The type of expressions of one family: the widest, unknown if a column decides it.</summary>
    public static SqlType Widest(IReadOnlyList<Node> nodes)
    {
        if (nodes.Count == 0)
            return default;
        var family = nodes[0].Type.Family;
        if (family is not (SqlFamily.Integer or SqlFamily.Float))
            return new SqlType(family);
        var widths = nodes.Where(n => !n.IsConstant || family == SqlFamily.Integer).Select(n => n.Type.Width).DefaultIfEmpty(8).ToList();
        return new SqlType(
            family,
            widths.Contains(8) ? 8
                : widths.Contains(0) ? 0
                : widths.Max()
        );
    }

    // Where PostgreSQL finds a float4 and an integer or numeric, it makes float4 of both.
    private static void RequireExact(Syntax[] places, Node[] nodes)
    {
        for (var i = 0; i < nodes.Length; i++)
        {
            var exact = nodes[i] switch
            {
                ConstantNode<long> c => Literals.IsExactAsSingle(c.Constant) && Math.Abs(c.Constant) <= 1 << 24,
                ConstantNode<SqlNumeric> c => Literals.IsExactAsSingle(FloatConversion.ToDouble(c.Constant)),
                _ => nodes[i].Type.Family is SqlFamily.Float or SqlFamily.Untyped,
            };
            if (!exact)
                throw Binder.Wrong(places[i], WidthUnknown, "Cast the column first: points::double precision.");
        }
    }

    private static FloatToNumericNode FloatToNumeric(Syntax at, Node<double> from)
    {
        if (from.Type.Width == 0 && from is not FloatColumnNode)
            throw Binder.Wrong(at, WidthUnknown, "Cast the column itself: points::numeric or points::double precision.");
        return new FloatToNumericNode(from);
    }

    private static Node<SqlNumeric> Bounded(Node<SqlNumeric> from, SqlType to) => to.Precision == 0 ? from : new NumericCastNode(from, to);
}
