using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>From the text of an expression to what evaluates it.</summary>
internal static class ExpressionCompiler
{
    /// <summary>A rule.</summary>
    /// <exception cref="ExpressionException">The text is wrong.</exception>
    public static Node<bool> Condition(string text, IReadOnlyList<SourceColumn> columns) => new Binder(columns).Boolean(Parser.Parse(text));

    /// <summary>The value of an engine column of the given type.</summary>
    /// <exception cref="ExpressionException">The text is wrong, or its type is not the column's.</exception>
    public static Node Value(string text, IReadOnlyList<SourceColumn> columns, SqlType target)
    {
        var syntax = Parser.Parse(text);
        var node = new Binder(columns).Bind(syntax);
        if (node is not UntypedNode && !IsAssignable(node.Type, target))
            throw Binder.Wrong(
                syntax,
                $"the expression is {node.Type}, the column is {target}",
                "Cast the expression, or change the column's type."
            );
        // The bounds of numeric(p,s) and varchar(n) are rules of their own, so that what breaks them has a name.
        return Conversions.Coerce(syntax, node, target with { Precision = 0, Scale = 0 });
    }

    private static bool IsAssignable(SqlType from, SqlType to) =>
        from.Family == to.Family || (from.Family == SqlFamily.Integer && to.Family == SqlFamily.Numeric);
}
