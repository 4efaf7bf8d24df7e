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
}
