using System.Diagnostics.CodeAnalysis;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

/// <summary>A quoted literal or NULL that has not met its type yet.</summary>
internal sealed class UntypedNode(string? text) : Node(SqlType.Untyped)
{
    public string? Text { get; } = text;
    public override bool IsConstant => true;
}

internal sealed class ConstantNode<T>(SqlType type, T constant) : Node<T>(type)
{
    public T Constant { get; } = constant;
    public override bool IsConstant => true;

    public override bool TryGet(SourceRow row, [MaybeNullWhen(false)] out T value)
    {
        value = Constant;
        return true;
    }
}

/// <param name="type">text or jsonb.</param>
internal sealed class TextConstantNode(byte[] constant, SqlType type) : Node<ReadOnlySpan<byte>>(type)
{
    public override bool IsConstant => true;

    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value)
    {
        value = constant;
        return true;
    }
}

internal sealed class NullNode<T>(SqlType type) : Node<T>(type)
    where T : allows ref struct
{
    public override bool IsConstant => true;

    public override bool TryGet(SourceRow row, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        return false;
    }
}

internal abstract class ColumnNode<T> : Node<T>
    where T : allows ref struct
{
    private readonly int _slot;

    protected ColumnNode(SourceColumn column)
        : base(SqlType.Of(column.Type)) => (_slot, Inputs) = (column.Slot, 1UL << column.Slot);

    public sealed override bool TryGet(SourceRow row, [MaybeNullWhen(false)] out T value)
    {
        if (row.StateOf(_slot) != ColumnState.Value)
        {
            value = default;
            return false;
        }
        value = Decode(row.BytesOf(_slot));
        return true;
    }

    public sealed override int WidthIn(SourceRow row) =>
        row.StateOf(_slot) == ColumnState.Value ? row.BytesOf(_slot).Length : SourceTypes.WidthOf(row.TypeOf(_slot));

    protected abstract T Decode(ReadOnlySpan<byte> bytes);
}

internal sealed class IntegerColumnNode(SourceColumn column) : ColumnNode<long>(column)
{
    protected override long Decode(ReadOnlySpan<byte> bytes) => SourceValue.Integer(bytes);
}

/// <summary>Timestamps (microseconds since 2000) and dates (days since then).</summary>
internal sealed class MomentColumnNode(SourceColumn column) : ColumnNode<long>(column)
{
    protected override long Decode(ReadOnlySpan<byte> bytes) => SourceValue.Integer(bytes);
}

internal sealed class FloatColumnNode(SourceColumn column) : ColumnNode<double>(column)
{
    protected override double Decode(ReadOnlySpan<byte> bytes) => SourceValue.Float(bytes);
}

internal sealed class NumericColumnNode(SourceColumn column) : ColumnNode<SqlNumeric>(column)
{
    protected override SqlNumeric Decode(ReadOnlySpan<byte> bytes) => NumericFormat.Read(bytes);
}

internal sealed class BooleanColumnNode(SourceColumn column) : ColumnNode<bool>(column)
{
    protected override bool Decode(ReadOnlySpan<byte> bytes) => bytes[0] != 0;
}

/// <summary>Of any version of the format: the text alone.</summary>
internal sealed class JsonbColumnNode(SourceColumn column) : ColumnNode<ReadOnlySpan<byte>>(column)
{
    protected override ReadOnlySpan<byte> Decode(ReadOnlySpan<byte> bytes) => JsonbText.OfWire(bytes);
}

internal sealed class TextColumnNode(SourceColumn column) : ColumnNode<ReadOnlySpan<byte>>(column)
{
    protected override ReadOnlySpan<byte> Decode(ReadOnlySpan<byte> bytes) => bytes;
}
