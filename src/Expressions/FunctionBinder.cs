using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>Function calls.</summary>
internal sealed class FunctionBinder(Binder binder)
{
    private const int MaxRoundDigits = 1000;

    private static readonly string[] Names =
    [
        "upper",
        "lower",
        "btrim",
        "ltrim",
        "rtrim",
        "length",
        "round",
        "abs",
        "coalesce",
        "nullif",
        "greatest",
        "least",
    ];

    public Node Bind(CallSyntax call) =>
        call.Function switch
        {
            "upper" or "lower" => CaseMapping(call),
            "btrim" => Trim(call, TrimSides.Start | TrimSides.End),
            "ltrim" => Trim(call, TrimSides.Start),
            "rtrim" => Trim(call, TrimSides.End),
            "length" => new LengthNode(binder.Text(Arguments(call, 1, 1)[0])),
            "round" => Round(call),
            "abs" => ArithmeticBinder.Negation(call, binder.Bind(Arguments(call, 1, 1)[0]), absolute: true),
            "coalesce" => Coalesce(call),
            "nullif" => NullIf(call),
            "greatest" or "least" => MinMax(call),
            _ => throw new ExpressionException(
                "expression-function",
                call.Position,
                $"the function {call.Function} is not supported",
                NearestName.Remedy(call.Function, Names, "Supported are") + $" Signatures: {Supported.Functions}."
            ),
        };

    private static IReadOnlyList<Syntax> Arguments(CallSyntax call, int least, int most) =>
        call.Arguments.Count >= least && call.Arguments.Count <= most
            ? call.Arguments
            : throw Binder.Wrong(
                call,
                $"{call.Function} does not take {call.Arguments.Count} arguments",
                $"Supported: {Supported.Functions}."
            );

    private CaseMappingNode CaseMapping(CallSyntax call)
    {
        var operand = binder.Text(Arguments(call, 1, 1)[0]);
        if (!operand.IsCollatedC)
            throw Binder.Wrong(call, $"{call.Function} differs between collations", $"Say which: {call.Function}(... COLLATE \"C\").");
        return new CaseMappingNode(call.Function == "upper", operand);
    }

    private TrimNode Trim(CallSyntax call, TrimSides sides)
    {
        var arguments = Arguments(call, 1, 2);
        var characters =
            arguments.Count == 1
                ? " "
                : (arguments[1] as LiteralSyntax)?.Text
                    ?? throw Binder.Wrong(
                        arguments[1],
                        "the characters to trim must be a literal",
                        "Write them, such as E' \\t\\n\\r\\f\\x0B'."
                    );
        return new TrimNode(sides, binder.Text(arguments[0]), characters);
    }

    private Node Round(CallSyntax call)
    {
        var arguments = Arguments(call, 1, 2);
        var operand = binder.Bind(arguments[0]);
        if (arguments.Count == 1 && operand is Node<double> number)
            return new RoundFloatNode(number);
        if (operand is not Node<SqlNumeric> numeric)
            throw Binder.Wrong(call, $"PostgreSQL has no such round of {operand.Type}", "Cast it first: round(points::numeric, 2).");
        var digits = arguments.Count == 1 ? 0 : Digits(arguments[1]);
        var rounded = new RoundNumericNode(numeric, digits);
        return (digits, numeric) switch
        {
            (2, FloatToNumericNode cast) => new RoundFloatToCentsNode(cast.Operand, rounded),
            (2, NumberToNumericNode cast) => new NumberToNumericNode(cast.Column, toCents: true),
            _ => rounded,
        };
    }

    private int Digits(Syntax argument) =>
        binder.Bind(argument)
            is ConstantNode<long> { Type.Family: SqlFamily.Integer, Constant: >= -MaxRoundDigits and <= MaxRoundDigits } digits
            ? (int)digits.Constant
            : throw Binder.Wrong(
                argument,
                "the digits of round must be an integer literal",
                $"Write a number from -{MaxRoundDigits} to {MaxRoundDigits}."
            );

    private Node Coalesce(CallSyntax call)
    {
        var places = Arguments(call, 1, int.MaxValue).ToArray();
        var operands = Conversions.ToCommonType(call, places, [.. places.Select(binder.Bind)]);
        return NodeFactory.Coalesce(Conversions.Widest(operands), operands);
    }

    private Node NullIf(CallSyntax call)
    {
        var places = Arguments(call, 2, 2);
        Node left = binder.Bind(places[0]),
            right = binder.Bind(places[1]);
        (left, right) = Conversions.ToOperands(call, (places[0], left), (places[1], right));
        return NodeFactory.NullIf(left, right);
    }

    private Node MinMax(CallSyntax call)
    {
        var places = Arguments(call, 1, int.MaxValue).ToArray();
        var operands = Conversions.ToCommonType(call, places, [.. places.Select(binder.Bind)]);
        Conversions.RequireOrder(call, operands);
        return NodeFactory.MinMax(call.Function == "greatest", Conversions.Widest(operands), operands);
    }
}
