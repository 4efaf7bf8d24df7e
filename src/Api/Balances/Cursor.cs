using System.Buffers.Binary;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;

namespace Cdc.Api.Balances;

/// <summary>Where a page ended: opaque to callers, two numbers to us.</summary>
/// <param name="Owner">The card or partner it belongs to: a cursor of another one is refused.</param>
internal readonly record struct Cursor(long Owner, long? Time, long Key)
{
    private const int Size = 25;

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        BinaryPrimitives.WriteInt64BigEndian(bytes, Owner);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], Key);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], Time ?? 0);
        bytes[24] = Time is null ? (byte)0 : (byte)1;
        return Base64Url.EncodeToString(bytes);
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out Cursor cursor)
    {
        cursor = default;
        Span<byte> bytes = stackalloc byte[Size];
        // Longer text than that size can be would not fit either.
        if (
            text is null
            || text.Length != Base64Url.GetEncodedLength(Size)
            || !Base64Url.IsValid(text)
            || !Base64Url.TryDecodeFromChars(text, bytes, out var written)
            || written != Size
            || bytes[24] > 1
        )
            return false;
        cursor = new Cursor(
            BinaryPrimitives.ReadInt64BigEndian(bytes),
            bytes[24] == 1 ? BinaryPrimitives.ReadInt64BigEndian(bytes[16..]) : null,
            BinaryPrimitives.ReadInt64BigEndian(bytes[8..])
        );
        return true;
    }
}
