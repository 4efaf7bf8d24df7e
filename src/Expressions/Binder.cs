using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>Gives names and types to what was parsed, as PostgreSQL's parse analysis does, and refuses what would differ from it.</summary>
internal sealed class Binder(IReadOnlyList<SourceColumn> columns)
{
    public Node Bind(Syntax syntax)
    {
        var node = Shape(syntax);
        if (node is { Inputs: 0, CanFail: true })
            RequireConstant(syntax, node);
        return node;
    }

    /// <summary>PostgreSQL computes constants when it plans: one that fails does so for every row, even behind a CASE that is never true.</summary>
    private static void RequireConstant(Syntax syntax, Node node)
    {
        try
        {
            NodeFactory.IsNull(negated: false, node).TryGet(new SourceRow(0), out _);
        }
        catch (EvaluationException failure)
        {
            throw Wrong(syntax, $"this constant has no value: {failure.Message}", "Write another one, or a wider type.");
        }
    }

    private Node Shape(Syntax syntax) =>
        syntax switch
        {
            NameSyntax name => Column(name),
            NumberSyntax number => Literals.Number(number.Text),
            LiteralSyntax literal => new UntypedNode(literal.Text),
            TruthSyntax truth => new ConstantNode<bool>(SqlType.Boolean, truth.Value),
            NegateSyntax negate => ArithmeticBinder.Negation(negate, Bind(negate.Operand), absolute: false),
            NotSyntax not => new NotNode(Boolean(not.Operand)),
            LogicSyntax { IsAnd: true } and => new AndNode(Boolean(and.Left), Boolean(and.Right)),
            LogicSyntax or => new OrNode(Boolean(or.Left), Boolean(or.Right)),
            CompareSyntax compare => Compare(compare),
            OperatorSyntax { Operator: "->" or "->>" } field => new JsonBinder(this).Field(field),
            OperatorSyntax sum => new ArithmeticBinder(this).Bind(sum),
            IsNullSyntax test => IsNull(test),
            DistinctSyntax distinct => Distinct(distinct),
            InSyntax inList => In(inList),
            CastSyntax cast => Cast(cast),
            CollateSyntax collate => Collate(collate),
            TimeZoneSyntax zone => AtTimeZone(zone),
            CallSyntax call => new FunctionBinder(this).Bind(call),
            CaseSyntax @case => Case(@case),
            _ => throw new ArgumentOutOfRangeException(nameof(syntax), syntax, null),
        };

    public static ExpressionException Wrong(Syntax at, string message, string remedy) =>
        new("expression-type", at.Position, message, remedy);

    private Node Column(NameSyntax name)
    {
        var column = columns.FirstOrDefault(c => c.Name == name.Name);
        if (column is null)
            throw new ExpressionException(
                "expression-column",
                name.Position,
                $"there is no source column \"{name.Name}\"",
                NearestName.Remedy(name.Name, columns.Select(c => c.Name), "Declare it under source.columns, or use one of")
            );
        return column.Type switch
        {
            SourceType.Integer => new IntegerColumnNode(column),
            SourceType.Float => new FloatColumnNode(column),
            SourceType.Numeric => new NumericColumnNode(column),
            SourceType.Text => new TextColumnNode(column),
            SourceType.Boolean => new BooleanColumnNode(column),
            SourceType.Jsonb => new JsonbColumnNode(column),
            SourceType.Number => new NumberColumnNode(column),
            SourceType.Uuid or SourceType.Json or SourceType.Bytes => throw Wrong(
                name,
                $"the source column \"{name.Name}\" is uuid, json or bytea",
                "Declare a jsonb column as jsonb, cast a uuid to text (uid::text); any other is only carried into topics: leave it out of "
                    + "expressions."
            ),
            _ => new MomentColumnNode(column),
        };
    }

    private SourceColumn? UuidColumn(NameSyntax name) => columns.FirstOrDefault(c => c.Name == name.Name && c.Type == SourceType.Uuid);

    public Node<bool> Boolean(Syntax syntax) =>
        Conversions.Coerce(syntax, Bind(syntax), SqlType.Boolean) as Node<bool>
        ?? throw Wrong(syntax, "a condition is needed here", "Compare with something.");

    private Node<bool> Compare(CompareSyntax compare)
    {
        var (left, right) = Operands(compare, compare.Left, compare.Right);
        var comparison = compare.Operator switch
        {
            "=" => Comparison.Equal,
            "<>" => Comparison.NotEqual,
            "<" => Comparison.Less,
            "<=" => Comparison.LessOrEqual,
            ">" => Comparison.Greater,
            _ => Comparison.GreaterOrEqual,
        };
        if (comparison > Comparison.NotEqual)
            Conversions.RequireOrder(compare, left, right);
        return NodeFactory.Compare(comparison, left, right);
    }

    private Node<bool> Distinct(DistinctSyntax distinct)
    {
        var (left, right) = Operands(distinct, distinct.Left, distinct.Right);
        return NodeFactory.Distinct(distinct.Negated, left, right);
    }

    private (Node Left, Node Right) Operands(Syntax at, Syntax left, Syntax right)
    {
        Node a = Bind(left),
            b = Bind(right);
        return Conversions.ToOperands(at, (left, a), (right, b));
    }

    private Node<bool> IsNull(IsNullSyntax test)
    {
        var operand = Bind(test.Operand);
        return NodeFactory.IsNull(
            test.Negated,
            operand switch
            {
                UntypedNode => Conversions.Coerce(test.Operand, operand, SqlType.Text),
                NumberColumnNode number => number.Bytes,
                _ => operand,
            }
        );
    }

    private Node<bool> In(InSyntax inList)
    {
        var items = inList.Items.Select(Bind).ToArray();
        for (var i = 0; i < items.Length; i++)
            if (!items[i].IsConstant)
                throw Wrong(inList.Items[i], "IN takes literals only", "Use OR for other expressions.");
        Node[] all = [Bind(inList.Operand), .. items];
        Syntax[] places = [inList.Operand, .. inList.Items];
        var converted = Conversions.ToCommonType(inList, places, all);
        return NodeFactory.In(inList.Negated, converted[0], converted[1..]);
    }

    private Node Cast(CastSyntax cast)
    {
        var type =
            SqlTypeName.Parse(cast.TypeName)
            ?? throw Wrong(cast, $"the type \"{cast.TypeName}\" is not supported", $"Supported: {SqlTypeName.Supported}.");
        if (type is { Family: SqlFamily.Text, Precision: > 0 })
            throw Wrong(
                cast,
                "a cast to varchar(n) cuts longer texts off without an error",
                "Cast to text; the length of the engine's column is a rule."
            );
        if (type.Family == SqlFamily.Text && cast.Operand is NameSyntax name && UuidColumn(name) is { } uuid)
            return new UuidToTextNode(uuid);
        return Conversions.Cast(cast, Bind(cast.Operand), type);
    }

    private CollateNode Collate(CollateSyntax collate)
    {
        if (collate.Collation != "C")
            throw Wrong(
                collate,
                $"the collation \"{collate.Collation}\" is not supported",
                "Write COLLATE \"C\", the one that is the same everywhere."
            );
        return new CollateNode(Text(collate.Operand));
    }

    public Node<ReadOnlySpan<byte>> Text(Syntax syntax)
    {
        var node = Bind(syntax);
        return
            (node is UntypedNode ? Conversions.Coerce(syntax, node, SqlType.Text) : node)
                is Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Text } text
            ? text
            : throw Wrong(syntax, $"a text is needed, this is {node.Type}", "Cast it: ::text.");
    }

    private UtcNode AtTimeZone(TimeZoneSyntax zone)
    {
        if (zone.Zone != "UTC")
            throw Wrong(zone, $"the time zone '{zone.Zone}' is not supported", "Write AT TIME ZONE 'UTC': Odoo keeps UTC.");
        return Bind(zone.Operand) switch
        {
            Node<long> { Type.Family: SqlFamily.Timestamp } moment => new UtcNode(moment, new SqlType(SqlFamily.TimestampTz)),
            Node<long> { Type.Family: SqlFamily.TimestampTz } moment => new UtcNode(moment, new SqlType(SqlFamily.Timestamp)),
            var other => throw Wrong(
                zone,
                $"AT TIME ZONE needs a timestamp, this is {other.Type}",
                "Declare the source column as timestamp."
            ),
        };
    }

    private Node Case(CaseSyntax @case)
    {
        var whens = @case.Branches.Select(b => Boolean(b.When)).ToArray();
        Syntax[] places = [.. @case.Branches.Select(b => b.Then), @case.Else ?? new LiteralSyntax(@case.Position, null)];
        var thens = Conversions.ToCommonType(@case, places, [.. places.Select(Bind)]);
        return NodeFactory.Case(whens, thens[..^1], thens[^1]);
    }
}
