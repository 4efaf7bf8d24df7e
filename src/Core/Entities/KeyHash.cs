using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cdc.Core.Entities;

/// <summary>
/// The number of a key that no 64 bits hold: the first 61 bits of the SHA-256 of its text (<see cref="KeySpelling"/>). All lie below the
/// numbers of pairs (<see cref="KeyPair"/>), so that each number says what it is. Their order means nothing. Two keys may have one number:
/// whoever meets both stops the table (docs/decisions/0022).
/// </summary>
public static class KeyHash
{
    private const int Bits = 61;
    private const int Digits = 16;

    /// <summary>Not what a shell or a command line takes for something else.</summary>
    private const string Prefix = "hash:";
    private const long Mask = (1L << Bits) - 1;

    /// <summary>Of the hash 0. The lowest number of all stands for every key where keys are remembered.</summary>
    private const long First = long.MinValue + 1;

    public static long Number(ReadOnlySpan<byte> text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        return First + (long)(BinaryPrimitives.ReadUInt64BigEndian(hash) >> (64 - Bits));
    }

    /// <summary>Bits of the same hash that the number does not have.</summary>
    public static int Check(ReadOnlySpan<byte> text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        return BinaryPrimitives.ReadInt32BigEndian(hash[sizeof(long)..]);
    }

    /// <summary>The number stands for a key's text.</summary>
    public static bool Is(long number) => number is >= First and <= First + Mask;

    /// <summary>Where only the number is known.</summary>
    public static string Shown(long number) => $"{Prefix}{number - First:x16}";

    /// <summary>Null: that is no number that was shown.</summary>
    public static long? Parse(string text) =>
        text.StartsWith(Prefix, StringComparison.Ordinal)
        && text.Length == Prefix.Length + Digits
        && long.TryParse(text.AsSpan(Prefix.Length), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var hash)
        && hash is >= 0 and <= Mask
            ? First + hash
            : null;

    /// <summary>SQL: the number of a key.</summary>
    /// <param name="text">The key's text, as SQL.</param>
    public static string Sql(string text) =>
        $"((('x' || encode(substring(sha256(convert_to({text}, 'UTF8')) FROM 1 FOR 8), 'hex'))::bit(64)::bigint >> {64 - Bits}) & {Mask}) + '{First}'::bigint";
}
