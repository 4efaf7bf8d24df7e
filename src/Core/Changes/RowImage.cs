namespace Cdc.Core.Changes;

/// <summary>
/// One row as it came over the wire: a slice of a shared buffer that is never written to again. <see cref="SourceRow"/> reads it.
/// </summary>
public readonly record struct RowImage(byte[] Buffer, int Offset, int Length)
{
    public bool IsEmpty => Buffer is null;

    public ReadOnlySpan<byte> Span => new(Buffer, Offset, Length);
}
