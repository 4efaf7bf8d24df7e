using System.Diagnostics.CodeAnalysis;
using Cdc.Core.Changes;
using Cdc.Core.Postgres;

namespace Cdc.Expressions.Nodes;

internal sealed class CoalesceNode<T>(SqlType type, Node<T>[] operands) : Node<T>(type, operands)
    where T : allows ref struct
{
    public override bool TryGet(SourceRow row, [MaybeNullWhen(false)] out T value)
    {
        foreach (var operand in operands)
            if (operand.TryGet(row, out value))
                return true;
        value = default;
        return false;
    }

    public override int WidthIn(SourceRow row) => WidestIn(row, operands);
}

internal sealed class CaseNode<T>(SqlType type, Node<bool>[] whens, Node<T>[] thens, Node<T> otherwise)
    : Node<T>(type, [.. whens, .. thens, otherwise])
    where T : allows ref struct
{
    public override bool TryGet(SourceRow row, [MaybeNullWhen(false)] out T value)
    {
        for (var i = 0; i < whens.Length; i++)
            if (whens[i].TryGet(row, out var holds) && holds)
                return thens[i].TryGet(row, out value);
        return otherwise.TryGet(row, out value);
    }

    public override int WidthIn(SourceRow row) => Math.Max(WidestIn(row, thens), otherwise.WidthIn(row));
}

/// <summary>greatest and least: NULLs are passed over; of equal values the first stays.</summary>
internal sealed class MinMaxNode<T, TOrdering>(bool greatest, SqlType type, Node<T>[] operands) : Node<T>(type, operands)
    where T : allows ref struct
    where TOrdering : IOrdering<T>
{
    public override bool TryGet(SourceRow row, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        var known = false;
        foreach (var operand in operands)
        {
            if (!operand.TryGet(row, out var candidate))
                continue;
            if (known && (greatest ? TOrdering.Compare(candidate, value!) <= 0 : TOrdering.Compare(candidate, value!) >= 0))
                continue;
            value = candidate;
            known = true;
        }
        return known;
    }

    public override int WidthIn(SourceRow row) => WidestIn(row, operands);
}
