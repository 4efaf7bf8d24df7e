using System.Buffers;
using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;

namespace Cdc.Expressions.Nodes;

/// <summary>
/// A member of an object, as jsonb (->) or as text (->>). NULL where there is none or the value is no object; the text of null is NULL, too.
/// </summary>
internal sealed class JsonFieldNode : Node<ReadOnlySpan<byte>>
{
    private readonly bool _isText;
    private readonly Node<ReadOnlySpan<byte>> _json;
    private readonly Node<ReadOnlySpan<byte>> _key;
    private readonly ArrayBufferWriter<byte> _quoted = new();
    private readonly bool _isFixed;
    private byte[] _text = [];

    public JsonFieldNode(bool isText, Node<ReadOnlySpan<byte>> json, Node<ReadOnlySpan<byte>> key)
        : base(isText ? SqlType.Text : SqlType.Jsonb, json, key)
    {
        (_isText, _json, _key) = (isText, json, key);
        _isFixed = key is TextConstantNode && TryQuote(new SourceRow(0));
    }

    public static JsonFieldNode Of(bool isText, Node<ReadOnlySpan<byte>> json, Node key) =>
        new(isText, json, (Node<ReadOnlySpan<byte>>)key);

    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!(_json.TryGet(row, out var json) & (_isFixed || TryQuote(row))))
            return false;
        if (!JsonbText.TryField(json, _quoted.WrittenSpan, out value))
            return false;
        return !_isText || TryText(ref value);
    }

    private bool TryQuote(SourceRow row)
    {
        if (!_key.TryGet(row, out var key))
            return false;
        _quoted.ResetWrittenCount();
        JsonbText.Quote(key, _quoted);
        return true;
    }

    private bool TryText(ref ReadOnlySpan<byte> value)
    {
        if (JsonbText.IsNull(value))
            return false;
        if (value[0] != '"')
            return true;
        if (!JsonbText.TryUnquote(value, ref _text, out value))
            throw new EvaluationException("a JSON string holds what PostgreSQL's text cannot hold");
        return true;
    }
}

internal sealed class JsonbToTextNode(Node<ReadOnlySpan<byte>> operand) : Node<ReadOnlySpan<byte>>(SqlType.Text, operand)
{
    protected override Node? Mapped => operand;

    public override bool TryGet(SourceRow row, out ReadOnlySpan<byte> value) => operand.TryGet(row, out value);
}
