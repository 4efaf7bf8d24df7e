using Cdc.Core.Entities;

namespace Cdc.Capture.Stream;

/// <summary>Where in a relation's rows the key is.</summary>
/// <param name="Second">-1: the key is one column.</param>
/// <param name="Hashed">Null: the key is of integers that make its number.</param>
internal readonly record struct KeyPlaces(int First, int Second, HashedKeyPlaces? Hashed = null)
{
    public static readonly KeyPlaces None = new(-1, -1);

    public bool Has(int column) => Hashed?.Has(column) ?? (column == First || column == Second);

    /// <summary>The number of the key; null if the tuple does not have it, or if a pair has none (<see cref="KeyPair"/>).</summary>
    /// <param name="spelled">The key's text, where its number is a hash; else null.</param>
    public long? Of(ReadOnlySpan<byte> tuple, out byte[]? spelled) => Of(tuple, default, out spelled);

    /// <param name="old">Has the columns of the key that the tuple leaves out, because they are large and have not changed.</param>
    /// <inheritdoc cref="Of(ReadOnlySpan{byte}, out byte[])"/>
    public long? Of(ReadOnlySpan<byte> tuple, ReadOnlySpan<byte> old, out byte[]? spelled)
    {
        if (Second < 0)
        {
            spelled = null;
            return TupleData.Integer(tuple, First);
        }
        spelled = Hashed?.Of(tuple, old);
        return Hashed is null ? Pair(tuple)
            : spelled is null ? null
            : KeyHash.Number(spelled);
    }

    private long? Pair(ReadOnlySpan<byte> tuple) =>
        TupleData.Integer(tuple, First) is { } first && TupleData.Integer(tuple, Second) is { } second
            ? KeyPair.Number(first, second)
            : null;
}

/// <summary>Where in a relation's rows the columns of a key are that is known by a hash. For one thread at a time.</summary>
/// <param name="places">In the order of the key.</param>
internal sealed class HashedKeyPlaces(IReadOnlyList<SourceColumn> columns, int[] places)
{
    private readonly KeySpelling _spelling = new(columns);

    public bool Has(int column) => places.Contains(column);

    /// <summary>The key's text; null if the tuples do not have it.</summary>
    public byte[]? Of(ReadOnlySpan<byte> tuple, ReadOnlySpan<byte> old)
    {
        _spelling.Begin();
        foreach (var place in places)
        {
            var column = TupleData.Column(tuple, place);
            if (column[0] == TupleColumns.Unchanged && !old.IsEmpty)
                column = TupleData.Column(old, place);
            if (!TupleData.HasBytes(column[0]))
                return null;
            _spelling.Add(column[(1 + sizeof(int))..], TupleData.IsText(column[0]));
        }
        return _spelling.End();
    }
}
