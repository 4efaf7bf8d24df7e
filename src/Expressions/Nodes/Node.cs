using System.Diagnostics.CodeAnalysis;
using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

/// <summary>
/// A typed expression, ready to be evaluated on row after row. Not for two threads at once: nodes that make text keep it in buffers of their own.
/// </summary>
internal abstract class Node
{
    protected Node(SqlType type, params ReadOnlySpan<Node> operands)
    {
        Type = type;
        foreach (var operand in operands)
        {
            Inputs |= operand.Inputs;
            CanFail |= operand.CanFail;
            IsCollatedC |= operand.IsCollatedC;
        }
    }

    public SqlType Type { get; }

    /// <summary>Source slots that are read, one bit each.</summary>
    public ulong Inputs { get; protected init; }

    /// <summary>For some row PostgreSQL would raise an error, and evaluation throws <see cref="EvaluationException"/>.</summary>
    public bool CanFail { get; protected init; }

    /// <summary>COLLATE "C" was said here or below, as PostgreSQL derives an explicit collation.</summary>
    public bool IsCollatedC { get; protected init; }
    public virtual bool IsConstant => false;

    /// <summary>
    /// Bytes that an integer or float of this expression has over the types of this row's table: PostgreSQL's result type. Where the
    /// type does not say it, its columns do; literals and NULLs are as narrow as possible, and take the type of what they stand beside.
    /// </summary>
    public virtual int WidthIn(SourceRow row) =>
        Type.Width > 0 ? Type.Width
        : Type.Family == SqlFamily.Integer ? 2
        : 4;

    /// <summary>For nodes whose type is that of their operands.</summary>
    protected int WidestIn(SourceRow row, params ReadOnlySpan<Node> operands)
    {
        var width = Type.Width;
        if (width > 0)
            return width;
        foreach (var operand in operands)
            width = Math.Max(width, operand.WidthIn(row));
        return width;
    }

    /// <summary>A node that is NULL exactly when this one is, and cheaper to ask: the operand of a function that only maps values.</summary>
    public Node NullSource => CanFail ? this : Mapped?.NullSource ?? this;
    protected virtual Node? Mapped => null;
}

/// <typeparam name="T">bool, long (integers, timestamps, dates), double, SqlNumeric, or ReadOnlySpan of UTF-8 (text, jsonb).</typeparam>
internal abstract class Node<T>(SqlType type, params ReadOnlySpan<Node> operands) : Node(type, operands)
    where T : allows ref struct
{
    /// <summary>False: the value is NULL. A span is valid until the next evaluation.</summary>
    /// <exception cref="EvaluationException">PostgreSQL would raise an error for this row.</exception>
    public abstract bool TryGet(SourceRow row, [MaybeNullWhen(false)] out T value);
}
