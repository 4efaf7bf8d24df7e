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
            (NumberColumnNode from, SqlFamily.Numeric) => Bounded(new NumberToNumericNode(from.Column), to),
            (NumberColumnNode, _) => throw Binder.Wrong(
                at,
                $"a column declared as number is cast to numeric only, not to {to}",
                "Cast twice: points::numeric::double precision. Then it means the same over each type that the column may have."
            ),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Integer) => new IntegerCastNode(from, to.Width),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Numeric) => Bounded(new IntegerToNumericNode(from), to),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Float) => new IntegerToFloatNode(from),
            (Node<long> { Type.Family: SqlFamily.Integer } from, SqlFamily.Text) => new IntegerToTextNode(from),
            (Node<double> from, SqlFamily.Numeric) => Bounded(new FloatToNumericNode(from), to),
            (Node<double> from, SqlFamily.Integer) => new FloatToIntegerNode(from, to.Width),
            (Node<double> from, SqlFamily.Float) => new FloatCastNode(from),
            (Node<SqlNumeric> from, SqlFamily.Numeric) => Bounded(from, to),
            (Node<SqlNumeric> from, SqlFamily.Integer) => new NumericToIntegerNode(from, to.Width),
            (Node<SqlNumeric> from, SqlFamily.Float) => new NumericToFloatNode(from),
            (Node<SqlNumeric> from, SqlFamily.Text) => new NumericToTextNode(from),
            (Node<bool> from, SqlFamily.Text) => new BooleanToTextNode(from),
            (Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Text } from, _) when TextCast(from, to) is { } cast => cast,
            (Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Jsonb } from, SqlFamily.Text) => new JsonbToTextNode(from),
            (Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Jsonb }, not SqlFamily.Jsonb) => throw Binder.Wrong(
                at,
                $"a cast from jsonb to {to} means different things in different versions of PostgreSQL (for null)",
                "Take the text and cast that: (name ->> 'key')::numeric."
            ),
            _ when operand.Type.Family == to.Family => operand,
            _ => throw Binder.Wrong(
                at,
                $"a cast from {operand.Type} to {to} is not supported",
                "Supported: between integers, numeric and double precision; from integers, numeric, boolean and jsonb to text; "
                    + "from text to numbers, boolean and jsonb; literals to any type."
            ),
        };

    private static Node? TextCast(Node<ReadOnlySpan<byte>> from, SqlType to) =>
        to.Family switch
        {
            SqlFamily.Integer => new TextToIntegerNode(from, to.Width),
            SqlFamily.Numeric => Bounded(new TextToNumericNode(from), to),
            SqlFamily.Float => new TextToFloatNode(from),
            SqlFamily.Boolean => new TextToBooleanNode(from),
            SqlFamily.Jsonb => new TextToJsonbNode(from),
            _ => null,
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
            // Where they take the column's own type they are no wider than the column.
            (ConstantNode<long> { Type.Family: SqlFamily.Integer } c, SqlFamily.Float) => new ConstantNode<double>(
                new SqlType(SqlFamily.Float, to.Width),
                c.Constant
            ),
            (ConstantNode<SqlNumeric> c, SqlFamily.Float) => FloatConversion.TryToDouble(c.Constant, out var number)
                ? new ConstantNode<double>(new SqlType(SqlFamily.Float, to.Width), number)
                : throw Binder.Wrong(at, "this constant is out of range for double precision", "Write another one."),
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

    /// <summary>
    /// The operands of an operator, in one type. A literal takes the other's type; a number beside a float becomes a double, whatever the
    /// float's width (PostgreSQL prefers that type).
    /// </summary>
    public static (Node Left, Node Right) ToOperands(Syntax at, (Syntax At, Node Node) left, (Syntax At, Node Node) right)
    {
        var family = ComparedAs(at, left.Node.Type, right.Node.Type);
        return (Operand(left.At, left.Node, right.Node), Operand(right.At, right.Node, left.Node));

        Node Operand(Syntax place, Node operand, Node other) =>
            Coerce(
                place,
                operand,
                new SqlType(
                    family,
                    operand.Type.Family == family ? operand.Type.Width
                        : operand is UntypedNode ? other.Type.Width
                        : SqlType.Double.Width
                )
            );
    }

    /// <summary>For what asks which value is greater.</summary>
    public static void RequireOrder(Syntax at, params ReadOnlySpan<Node> operands)
    {
        var isCollated = false;
        foreach (var operand in operands)
            isCollated |= operand.IsCollatedC;
        if (operands[0].Type.Family == SqlFamily.Text && !isCollated)
            throw Binder.Wrong(at, "the order of texts differs between collations", "Say COLLATE \"C\" behind one of them.");
        if (operands[0].Type.Family == SqlFamily.Jsonb)
            throw Binder.Wrong(at, "jsonb is compared by = and <> only", "Take a value out of it (->>), and cast that.");
    }

    /// <summary>The family in which two types are compared.</summary>
    public static SqlFamily ComparedAs(Syntax at, SqlType left, SqlType right) =>
        (left.Family, right.Family) switch
        {
            (SqlFamily.AnyNumber, _) or (_, SqlFamily.AnyNumber) => throw Binder.Wrong(
                at,
                "a column declared as number may have any type of numbers, and a comparison would differ between them",
                "Cast it: ::numeric."
            ),
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
        var widths = nodes.Select(n => n.Type.Width).ToList();
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
                ConstantNode<SqlNumeric> c => FloatConversion.TryToDouble(c.Constant, out var number) && Literals.IsExactAsSingle(number),
                _ => nodes[i].Type.Family is SqlFamily.Float or SqlFamily.Untyped,
            };
            if (!exact)
                throw Binder.Wrong(places[i], WidthUnknown, "Cast the column first: points::double precision.");
        }
    }

    private static Node<SqlNumeric> Bounded(Node<SqlNumeric> from, SqlType to) => to.Precision == 0 ? from : new NumericCastNode(from, to);
}
