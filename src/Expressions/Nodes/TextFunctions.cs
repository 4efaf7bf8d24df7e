using System.Buffers;
using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Postgres;

namespace Cdc.Expressions.Nodes;

/// <summary>COLLATE "C": the same bytes, another meaning of upper, lower and order.</summary>
internal sealed class CollateNode : Node<ReadOnlySpan<byte>>
{
    private readonly Node<ReadOnlySpan<byte>> _operand;

    public CollateNode(Node<ReadOnlySpan<byte>> operand)
        : base(SqlType.Text, operand) => (_operand, IsCollatedC) = (operand, true);

    protected override Node? Mapped => _operand;

    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value) => _operand.TryGet(row, out value);
}

/// <summary>upper and lower under "C": ASCII letters only, so bytes of other characters stay as they are.</summary>
internal sealed class CaseMappingNode(bool upper, Node<ReadOnlySpan<byte>> operand) : Node<ReadOnlySpan<byte>>(SqlType.Text, operand)
{
    protected override Node? Mapped => operand;

    private byte[] _buffer = new byte[64];

    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value)
    {
        if (!operand.TryGet(row, out value))
            return false;
        if (_buffer.Length < value.Length)
            _buffer = new byte[Math.Max(value.Length, _buffer.Length * 2)];
        var mapped = _buffer.AsSpan(0, value.Length);
        var at = 0;
        while (at < value.Length && MapAscii(value[at..], mapped[at..], out var done) == OperationStatus.InvalidData)
        {
            at += done;
            mapped[at] = value[at];
            at++;
        }
        value = mapped;
        return true;
    }

    private OperationStatus MapAscii(ReadOnlySpan<byte> source, Span<byte> target, out int done) =>
        upper ? Ascii.ToUpper(source, target, out done) : Ascii.ToLower(source, target, out done);
}

[Flags]
internal enum TrimSides
{
    Start = 1,
    End = 2,
}

/// <summary>btrim, ltrim, rtrim: any of the characters, as often as they stand there.</summary>
internal sealed class TrimNode : Node<ReadOnlySpan<byte>>
{
    private readonly Node<ReadOnlySpan<byte>> _operand;
    private readonly TrimSides _sides;
    private readonly bool[] _ascii = new bool[256];
    private readonly byte[][] _others;

    public TrimNode(TrimSides sides, Node<ReadOnlySpan<byte>> operand, string characters)
        : base(SqlType.Text, operand)
    {
        (_sides, _operand) = (sides, operand);
        foreach (var c in characters.Where(char.IsAscii))
            _ascii[c] = true;
        _others = [.. characters.EnumerateRunes().Where(r => !r.IsAscii).Select(r => Encoding.UTF8.GetBytes(r.ToString()))];
    }

    protected override Node? Mapped => _operand;

    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value)
    {
        if (!_operand.TryGet(row, out value))
            return false;
        if ((_sides & TrimSides.Start) != 0)
            value = TrimStart(value);
        if ((_sides & TrimSides.End) != 0)
            value = TrimEnd(value);
        return true;
    }

    private ReadOnlySpan<byte> TrimStart(ReadOnlySpan<byte> value)
    {
        while (true)
        {
            var start = 0;
            while (start < value.Length && _ascii[value[start]])
                start++;
            value = value[start..];
            var before = value.Length;
            foreach (var other in _others)
                if (value.StartsWith(other))
                    value = value[other.Length..];
            if (value.Length == before)
                return value;
        }
    }

    private ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> value)
    {
        while (true)
        {
            var end = value.Length;
            while (end > 0 && _ascii[value[end - 1]])
                end--;
            value = value[..end];
            var before = value.Length;
            foreach (var other in _others)
                if (value.EndsWith(other))
                    value = value[..^other.Length];
            if (value.Length == before)
                return value;
        }
    }
}

/// <summary>length: characters, not bytes.</summary>
internal sealed class LengthNode(Node<ReadOnlySpan<byte>> operand) : Node<long>(new SqlType(SqlFamily.Integer, 4), operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out long value)
    {
        value = 0;
        if (!operand.TryGet(row, out var text))
            return false;
        foreach (var b in text)
            if ((b & 0xC0) != 0x80)
                value++;
        return true;
    }
}
