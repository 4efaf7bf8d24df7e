using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

/// <summary>From text by PostgreSQL's input function of the type.</summary>
internal abstract class TextCastNode<T> : Node<T>
    where T : allows ref struct
{
    private readonly Node<ReadOnlySpan<byte>> _operand;

    protected TextCastNode(SqlType type, Node<ReadOnlySpan<byte>> operand)
        : base(type, operand) => (_operand, CanFail) = (operand, true);

    public sealed override bool TryGet(SourceRow row, out T value)
    {
        value = default!;
        if (!_operand.TryGet(row, out var text))
            return false;
        if (!TryRead(text, out value))
            throw new EvaluationException($"the text is no {Type}");
        return true;
    }

    protected abstract bool TryRead(ReadOnlySpan<byte> text, out T value);
}

internal sealed class TextToIntegerNode(Node<ReadOnlySpan<byte>> operand, int width)
    : TextCastNode<long>(new SqlType(SqlFamily.Integer, width), operand)
{
    private readonly IntegerRange _range = IntegerRange.Of(width);

    protected override bool TryRead(ReadOnlySpan<byte> text, out long value) =>
        TextInput.TryInteger(text, out value) && _range.Contains(value);
}

internal sealed class TextToNumericNode(Node<ReadOnlySpan<byte>> operand) : TextCastNode<SqlNumeric>(SqlType.Numeric, operand)
{
    protected override bool TryRead(ReadOnlySpan<byte> text, out SqlNumeric value) => TextInput.TryNumeric(text, out value);
}

internal sealed class TextToFloatNode(Node<ReadOnlySpan<byte>> operand) : TextCastNode<double>(SqlType.Double, operand)
{
    protected override bool TryRead(ReadOnlySpan<byte> text, out double value) => TextInput.TryDouble(text, out value);
}

internal sealed class TextToBooleanNode(Node<ReadOnlySpan<byte>> operand) : TextCastNode<bool>(SqlType.Boolean, operand)
{
    protected override bool TryRead(ReadOnlySpan<byte> text, out bool value) => TextInput.TryBoolean(text, out value);
}

internal sealed class TextToJsonbNode(Node<ReadOnlySpan<byte>> operand) : TextCastNode<ReadOnlySpan<byte>>(SqlType.Jsonb, operand)
{
    private readonly JsonbInput _input = new();

    protected override bool TryRead(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> value) => _input.TryRead(text, out value);
}
