using Cdc.Core.Entities;

namespace Cdc.Capture.Stream;

/// <summary>Where in a relation's rows the key is.</summary>
/// <param name="Second">-1: the key is one column.</param>
internal readonly record struct KeyPlaces(int First, int Second)
{
    public static readonly KeyPlaces None = new(-1, -1);

    public bool Has(int column) => column == First || column == Second;

    /// <summary>The number of the key; null if the tuple does not have it, or if a pair has none (<see cref="KeyPair"/>).</summary>
    public long? Of(ReadOnlySpan<byte> tuple) => Second < 0 ? TupleData.Integer(tuple, First) : Pair(tuple);

    private long? Pair(ReadOnlySpan<byte> tuple) =>
        TupleData.Integer(tuple, First) is { } first && TupleData.Integer(tuple, Second) is { } second
            ? KeyPair.Number(first, second)
            : null;
}
