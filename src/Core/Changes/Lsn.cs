using System.Globalization;

namespace Cdc.Core.Changes;

/// <summary>
/// A place in a PostgreSQL write-ahead log, in bytes since its beginning. Printed as PostgreSQL does: <c>16/B374D848</c>.
/// </summary>
public readonly record struct Lsn(ulong Value) : IComparable<Lsn>
{
    public static readonly Lsn Zero;

    public int CompareTo(Lsn other) => Value.CompareTo(other.Value);

    public static bool operator <(Lsn a, Lsn b) => a.Value < b.Value;

    public static bool operator >(Lsn a, Lsn b) => a.Value > b.Value;

    public static bool operator <=(Lsn a, Lsn b) => a.Value <= b.Value;

    public static bool operator >=(Lsn a, Lsn b) => a.Value >= b.Value;

    public static Lsn Max(Lsn a, Lsn b) => a > b ? a : b;

    /// <summary>Reads PostgreSQL's form, two hexadecimal numbers and a slash.</summary>
    /// <exception cref="FormatException">The text is not an LSN.</exception>
    public static Lsn Parse(string text) =>
        TryParse(text, out var lsn) ? lsn : throw new FormatException($"'{text}' is not an LSN such as 16/B374D848.");

    public static bool TryParse(string text, out Lsn lsn)
    {
        lsn = Zero;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (
            slash <= 0
            || !uint.TryParse(text.AsSpan(0, slash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var high)
            || !uint.TryParse(text.AsSpan(slash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var low)
        )
            return false;
        lsn = new Lsn(((ulong)high << 32) | low);
        return true;
    }

    public override string ToString() => $"{Value >> 32:X}/{(uint)Value:X}";
}
