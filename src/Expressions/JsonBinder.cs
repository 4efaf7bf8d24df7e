using Cdc.Core.Postgres;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions;

/// <summary>What is taken out of jsonb.</summary>
internal sealed class JsonBinder(Binder binder)
{
    public Node Field(OperatorSyntax at)
    {
        if (binder.Bind(at.Left) is not Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Jsonb } json)
            throw Binder.Wrong(
                at,
                $"{at.Operator} takes something out of jsonb, this is {binder.Bind(at.Left).Type}",
                "Declare the source column as jsonb, or cast a text: ::jsonb."
            );
        var isText = at.Operator == "->>";
        return binder.Bind(at.Right) switch
        {
            UntypedNode literal => JsonFieldNode.Of(isText, json, Conversions.Coerce(at.Right, literal, SqlType.Text)),
            Node<ReadOnlySpan<byte>> { Type.Family: SqlFamily.Text } key => JsonFieldNode.Of(isText, json, key),
            var other => throw Binder.Wrong(
                at.Right,
                $"the key behind {at.Operator} must be a text, this is {other.Type}",
                "Write a key, such as 'en_US', or cast one: company_id::text. Places of arrays are not supported."
            ),
        };
    }
}
