using Cdc.Core.Changes;
using Cdc.Core.Postgres;

namespace Cdc.Expressions.Nodes;

internal sealed class NotNode(Node<bool> operand) : Node<bool>(SqlType.Boolean, operand)
{
    public override bool TryGet(SourceRow row, out bool value)
    {
        var known = operand.TryGet(row, out value);
        value = !value;
        return known;
    }
}

/// <summary>False and unknown is false.</summary>
internal sealed class AndNode(Node<bool> left, Node<bool> right) : Node<bool>(SqlType.Boolean, left, right)
{
    public override bool TryGet(SourceRow row, out bool value)
    {
        var leftKnown = left.TryGet(row, out value);
        if (leftKnown && !value)
            return true;
        var rightKnown = right.TryGet(row, out value);
        return rightKnown && (leftKnown || !value);
    }
}

/// <summary>True or unknown is true.</summary>
internal sealed class OrNode(Node<bool> left, Node<bool> right) : Node<bool>(SqlType.Boolean, left, right)
{
    public override bool TryGet(SourceRow row, out bool value)
    {
        var leftKnown = left.TryGet(row, out value);
        if (leftKnown && value)
            return true;
        var rightKnown = right.TryGet(row, out value);
        return rightKnown && (leftKnown || value);
    }
}
