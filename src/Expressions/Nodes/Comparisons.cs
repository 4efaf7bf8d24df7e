using Cdc.Core.Changes;
using Cdc.Core.Postgres;

namespace Cdc.Expressions.Nodes;

internal enum Comparison
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

internal sealed class CompareNode<T, TOrdering>(Comparison comparison, Node<T> left, Node<T> right)
    : Node<bool>(SqlType.Boolean, left, right)
    where T : allows ref struct
    where TOrdering : IOrdering<T>
{
    public override bool TryGet(SourceRow row, out bool value)
    {
        value = false;
        // Both, even if the first is NULL: the second may fail, and then the whole does.
        if (!(left.TryGet(row, out var a) & right.TryGet(row, out var b)))
            return false;
        var order = TOrdering.Compare(a!, b!);
        value = comparison switch
        {
            Comparison.Equal => order == 0,
            Comparison.NotEqual => order != 0,
            Comparison.Less => order < 0,
            Comparison.LessOrEqual => order <= 0,
            Comparison.Greater => order > 0,
            _ => order >= 0,
        };
        return true;
    }
}

/// <summary>Never NULL: two NULLs are not distinct.</summary>
internal sealed class DistinctNode<T, TOrdering>(bool negated, Node<T> left, Node<T> right) : Node<bool>(SqlType.Boolean, left, right)
    where T : allows ref struct
    where TOrdering : IOrdering<T>
{
    public override bool TryGet(SourceRow row, out bool value)
    {
        var hasLeft = left.TryGet(row, out var a);
        var hasRight = right.TryGet(row, out var b);
        var distinct = hasLeft && hasRight ? TOrdering.Compare(a!, b!) != 0 : hasLeft != hasRight;
        value = distinct != negated;
        return true;
    }
}

/// <summary>NULL among the items makes "not found" unknown.</summary>
internal sealed class InNode<T, TOrdering>(bool negated, Node<T> operand, Node<T>[] items)
    : Node<bool>(SqlType.Boolean, [operand, .. items])
    where T : allows ref struct
    where TOrdering : IOrdering<T>
{
    public override bool TryGet(SourceRow row, out bool value)
    {
        value = false;
        if (!operand.TryGet(row, out var wanted))
            return false;
        var known = true;
        foreach (var item in items)
        {
            if (!item.TryGet(row, out var candidate))
                known = false;
            else if (TOrdering.Compare(wanted, candidate) == 0)
            {
                value = !negated;
                return true;
            }
        }
        value = negated;
        return known;
    }
}

internal sealed class NullIfNode<T, TOrdering>(SqlType type, Node<T> left, Node<T> right) : Node<T>(type, left, right)
    where T : allows ref struct
    where TOrdering : IOrdering<T>
{
    public override bool TryGet(SourceRow row, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T value)
    {
        var hasLeft = left.TryGet(row, out value);
        var hasRight = right.TryGet(row, out var other);
        return hasLeft && !(hasRight && TOrdering.Compare(value!, other!) == 0);
    }

    public override int WidthIn(SourceRow row) => left.WidthIn(row);
}

internal sealed class IsNullNode<T>(bool negated, Node<T> operand) : Node<bool>(SqlType.Boolean, operand)
    where T : allows ref struct
{
    public override bool TryGet(SourceRow row, out bool value)
    {
        value = operand.TryGet(row, out _) == negated;
        return true;
    }
}
