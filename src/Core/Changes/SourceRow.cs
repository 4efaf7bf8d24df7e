using System.Buffers.Binary;

namespace Cdc.Core.Changes;

public enum ColumnState : byte
{
    /// <summary>The image does not have this column.</summary>
    Missing,
    Value,
    Null,

    /// <summary>A TOAST value that the UPDATE did not touch: PostgreSQL does not send it.</summary>
    Unchanged,
}

/// <summary>
/// A view over one row's declared source columns, by slot. Reused from row to row: values are valid until the next <see cref="Read"/>.
/// Bytes are PostgreSQL's binary format (network order).
/// </summary>
public sealed class SourceRow
{
    private readonly byte[][] _buffers;
    private readonly int[] _offsets;
    private readonly int[] _lengths;
    private readonly ColumnState[] _states;
    private readonly uint[] _types;
    private TableSchema? _typesOf;

    public SourceRow(int slots)
    {
        (_buffers, _offsets, _lengths, _states) = (new byte[slots][], new int[slots], new int[slots], new ColumnState[slots]);
        _types = new uint[slots];
    }

    public int Slots => _states.Length;

    public ColumnState StateOf(int slot) => _states[slot];

    public ReadOnlySpan<byte> BytesOf(int slot) => new(_buffers[slot], _offsets[slot], _lengths[slot]);

    /// <summary>OID of the type that the column's bytes have; 0 where the image does not have the column.</summary>
    public uint TypeOf(int slot) => _types[slot];

    /// <summary>True if some declared column is unchanged or missing.</summary>
    public bool IsPartial { get; private set; }

    /// <exception cref="InvalidDataException">The image is not what its schema says.</exception>
    public void Read(in RowImage image, TableSchema schema)
    {
        Array.Clear(_states);
        IsPartial = false;
        // The same for row after row.
        if (!ReferenceEquals(_typesOf, schema))
            ReadTypes(schema);
        var bytes = image.Span;
        var count = BinaryPrimitives.ReadInt16BigEndian(bytes);
        var slots = schema.SlotOfColumn;
        if (count != slots.Length)
            throw new InvalidDataException($"A row of {schema.Name} has {count} columns; its schema has {slots.Length}.");
        var known = schema.Format == RowFormat.PgOutput ? ReadPgOutput(image, bytes, slots) : ReadCopy(image, bytes, slots);
        IsPartial = known != Slots;
    }

    /// <summary>Takes the columns that this row does not know from an older one.</summary>
    public void FillUnknownFrom(SourceRow older)
    {
        var known = 0;
        for (var slot = 0; slot < _states.Length; slot++)
        {
            if (
                _states[slot] is ColumnState.Unchanged or ColumnState.Missing
                && older._states[slot] is ColumnState.Value or ColumnState.Null
            )
            {
                (_states[slot], _buffers[slot], _offsets[slot], _lengths[slot]) = (
                    older._states[slot],
                    older._buffers[slot],
                    older._offsets[slot],
                    older._lengths[slot]
                );
                // The column may have been of another type then.
                (_types[slot], _typesOf) = (older._types[slot], null);
            }
            if (_states[slot] is ColumnState.Value or ColumnState.Null)
                known++;
        }
        IsPartial = known != Slots;
    }

    private void ReadTypes(TableSchema schema)
    {
        Array.Clear(_types);
        var slots = schema.SlotOfColumn;
        for (var column = 0; column < slots.Length; column++)
            if (slots[column] >= 0)
                _types[slots[column]] = schema.Columns[column].TypeOid;
        _typesOf = schema;
    }

    private int ReadPgOutput(in RowImage image, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> slots)
    {
        var at = 2;
        var known = 0;
        foreach (var slot in slots)
        {
            var kind = bytes[at++];
            var length = 0;
            if (kind is (byte)'b' or (byte)'t')
            {
                length = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
                at += 4;
            }
            if (slot >= 0)
            {
                var state = kind switch
                {
                    (byte)'n' => ColumnState.Null,
                    (byte)'u' => ColumnState.Unchanged,
                    (byte)'b' or (byte)'t' => ColumnState.Value,
                    _ => throw new InvalidDataException($"Unknown column kind {kind} in a pgoutput row."),
                };
                if (state != ColumnState.Unchanged)
                    known++;
                Set(slot, state, image.Buffer, image.Offset + at, length);
            }
            at += length;
        }
        return known;
    }

    private int ReadCopy(in RowImage image, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> slots)
    {
        var at = 2;
        var known = 0;
        foreach (var slot in slots)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(bytes[at..]);
            at += 4;
            if (slot >= 0)
            {
                known++;
                Set(slot, length < 0 ? ColumnState.Null : ColumnState.Value, image.Buffer, image.Offset + at, Math.Max(length, 0));
            }
            at += Math.Max(length, 0);
        }
        return known;
    }

    private void Set(int slot, ColumnState state, byte[] buffer, int offset, int length) =>
        (_states[slot], _buffers[slot], _offsets[slot], _lengths[slot]) = (state, buffer, offset, length);
}
