using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Expressions.Nodes;

namespace Cdc.Expressions.Rows;

/// <summary>Writes one engine column as a field of binary COPY.</summary>
internal abstract class ColumnWriter
{
    public abstract void Write(SourceRow row, CopyBuffer buffer);

    public static ColumnWriter For(Node value, SqlType type) =>
        (value, type.Family, type.Width) switch
        {
            (Node<long> v, SqlFamily.Integer, 2) => new Int16Writer(v),
            (Node<long> v, SqlFamily.Integer, 4) => new Int32Writer(v),
            (Node<long> v, SqlFamily.Date, _) => new Int32Writer(v),
            (Node<long> v, _, _) => new Int64Writer(v),
            (Node<double> v, _, _) => new FloatWriter(v),
            (Node<SqlNumeric> v, _, _) => new NumericWriter(v, type.Precision > 0 ? type.Scale : null),
            (Node<bool> v, _, _) => new BooleanWriter(v),
            (Node<ReadOnlySpan<byte>> v, SqlFamily.Jsonb, _) => new JsonbWriter(v),
            _ => new TextWriter((Node<ReadOnlySpan<byte>>)value),
        };

    private sealed class Int16Writer(Node<long> value) : ColumnWriter
    {
        public override void Write(SourceRow row, CopyBuffer buffer)
        {
            if (value.TryGet(row, out var v))
                buffer.WriteInt16Field(checked((short)v));
            else
                buffer.WriteNull();
        }
    }

    private sealed class Int32Writer(Node<long> value) : ColumnWriter
    {
        public override void Write(SourceRow row, CopyBuffer buffer)
        {
            if (value.TryGet(row, out var v))
                buffer.WriteInt32Field(checked((int)v));
            else
                buffer.WriteNull();
        }
    }

    private sealed class Int64Writer(Node<long> value) : ColumnWriter
    {
        public override void Write(SourceRow row, CopyBuffer buffer)
        {
            if (value.TryGet(row, out var v))
                buffer.WriteInt64Field(v);
            else
                buffer.WriteNull();
        }
    }

    private sealed class FloatWriter(Node<double> value) : ColumnWriter
    {
        public override void Write(SourceRow row, CopyBuffer buffer)
        {
            if (value.TryGet(row, out var v))
                buffer.WriteInt64Field(BitConverter.DoubleToInt64Bits(v));
            else
                buffer.WriteNull();
        }
    }

    private sealed class NumericWriter(Node<SqlNumeric> value, int? scale) : ColumnWriter
    {
        public override void Write(SourceRow row, CopyBuffer buffer)
        {
            if (value.TryGet(row, out var v))
                NumericFormat.WriteField(scale is { } s ? v.Round(s) : v, buffer);
            else
                buffer.WriteNull();
        }
    }

    private sealed class BooleanWriter(Node<bool> value) : ColumnWriter
    {
        public override void Write(SourceRow row, CopyBuffer buffer)
        {
            if (value.TryGet(row, out var v))
                buffer.WriteBooleanField(v);
            else
                buffer.WriteNull();
        }
    }

    private sealed class JsonbWriter(Node<ReadOnlySpan<byte>> value) : ColumnWriter
    {
        public override void Write(SourceRow row, CopyBuffer buffer)
        {
            if (!value.TryGet(row, out var v))
            {
                buffer.WriteNull();
                return;
            }
            buffer.WriteInt32(v.Length + 1);
            buffer.WriteByte(JsonbText.Version);
            buffer.Write(v);
        }
    }

    private sealed class TextWriter(Node<ReadOnlySpan<byte>> value) : ColumnWriter
    {
        public override void Write(SourceRow row, CopyBuffer buffer)
        {
            if (value.TryGet(row, out var v))
                buffer.WriteField(v);
            else
                buffer.WriteNull();
        }
    }
}
