using System.Globalization;
using System.Numerics;
using System.Text;

namespace Cdc.Core.Postgres.Values;

/// <summary>
/// PostgreSQL's input functions: what a text is as another type. False where PostgreSQL would raise an error, and for notations that not
/// every version takes (hexadecimal digits, underscores, a space within an exponent).
/// </summary>
public static class TextInput
{
    private const int MaxExponent = 1_000_000;

    /// <summary>Digits that 64 bits hold whatever they are.</summary>
    private const int SmallDigits = 18;

    /// <summary>smallint, integer, bigint: without a look at their ranges.</summary>
    public static bool TryInteger(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        text = Trim(text);
        var isNegative = TakeSign(ref text);
        if (text.IsEmpty || text.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return false;
        var digits = text.TrimStart((byte)'0');
        if (digits.Length > SmallDigits + 1)
            return false;
        ulong magnitude = 0;
        foreach (var digit in digits)
            magnitude = magnitude * 10 + (ulong)(digit - '0');
        if (magnitude > (isNegative ? 1UL << 63 : long.MaxValue))
            return false;
        value = isNegative ? (long)(0 - magnitude) : (long)magnitude;
        return true;
    }

    public static bool TryNumeric(ReadOnlySpan<byte> text, out SqlNumeric value)
    {
        value = default;
        text = Trim(text);
        if (TrySpecial(text, out value))
            return true;
        var isNegative = TakeSign(ref text);
        if (!DecimalText.TryRead(text, out var number) || !TryExponent(number.Exponent, out var exponent))
            return false;
        var zeros = number.Leading.TrimStart((byte)'0').Length;
        var scale = Math.Max(0, number.Trailing.Length - exponent);
        var isZero = zeros == 0 && !number.Trailing.ContainsAnyExcept((byte)'0');
        if (scale > SqlNumeric.MaxScale || (!isZero && DigitsBefore(number, exponent) > SqlNumeric.MaxDigitsBefore))
            return false;
        value =
            isZero ? new SqlNumeric(0, scale)
            : zeros + number.Trailing.Length <= SmallDigits && exponent == 0 ? new SqlNumeric(Small(number), scale)
            : SqlNumeric.Shifted(Large(number), number.Trailing.Length - exponent);
        if (isNegative)
            value = value.Negate();
        return true;
    }

    public static bool TryDouble(ReadOnlySpan<byte> text, out double value)
    {
        text = Trim(text);
        var isNegative = TakeSign(ref text);
        if (Is(text, "nan"))
            value = double.NaN;
        else if (Is(text, "infinity") || Is(text, "inf"))
            value = isNegative ? double.NegativeInfinity : double.PositiveInfinity;
        else
        {
            value = 0;
            if (!DecimalText.TryRead(text, out var number))
                return false;
            value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            // PostgreSQL refuses what a double can only hold as infinity or as zero.
            if (double.IsInfinity(value) || (value == 0 && !number.IsZero))
                return false;
            value = isNegative ? -value : value;
        }
        return true;
    }

    public static bool TryBoolean(ReadOnlySpan<byte> text, out bool value)
    {
        text = Trim(text);
        value = Begins(text, "true", 1) || Begins(text, "yes", 1) || Is(text, "on") || Is(text, "1");
        return value || Begins(text, "false", 1) || Begins(text, "no", 1) || Begins(text, "off", 2) || Is(text, "0");
    }

    private static bool TrySpecial(ReadOnlySpan<byte> text, out SqlNumeric value)
    {
        value = SqlNumeric.NaN;
        if (Is(text, "nan"))
            return true;
        var isNegative = TakeSign(ref text);
        value = isNegative ? SqlNumeric.NegativeInfinity : SqlNumeric.PositiveInfinity;
        return Is(text, "infinity") || Is(text, "inf");
    }

    private static bool TryExponent(ReadOnlySpan<byte> text, out int exponent)
    {
        exponent = 0;
        if (text.IsEmpty)
            return true;
        var isNegative = TakeSign(ref text);
        foreach (var digit in text)
        {
            exponent = exponent * 10 + (digit - '0');
            // Of a zero PostgreSQL takes larger ones; nothing writes them.
            if (exponent > MaxExponent)
                return false;
        }
        exponent = isNegative ? -exponent : exponent;
        return true;
    }

    private static int DigitsBefore(in DecimalText number, int exponent)
    {
        var leading = number.Leading.TrimStart((byte)'0').Length;
        return leading > 0 ? leading + exponent : exponent - (number.Trailing.Length - number.Trailing.TrimStart((byte)'0').Length);
    }

    private static long Small(in DecimalText number)
    {
        var value = 0L;
        foreach (var digit in number.Leading)
            value = value * 10 + (digit - '0');
        foreach (var digit in number.Trailing)
            value = value * 10 + (digit - '0');
        return value;
    }

    private static BigInteger Large(in DecimalText number)
    {
        Span<byte> digits = new byte[number.Leading.Length + number.Trailing.Length];
        number.Leading.CopyTo(digits);
        number.Trailing.CopyTo(digits[number.Leading.Length..]);
        return BigInteger.Parse(Encoding.ASCII.GetString(digits), NumberStyles.None, CultureInfo.InvariantCulture);
    }

    /// <summary>C's isspace, on both sides.</summary>
    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t\n\v\f\r"u8);

    private static bool TakeSign(ref ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty || text[0] is not ((byte)'+' or (byte)'-'))
            return false;
        var isNegative = text[0] == '-';
        text = text[1..];
        return isNegative;
    }

    private static bool Is(ReadOnlySpan<byte> text, string word) => Ascii.EqualsIgnoreCase(text, word);

    /// <summary>The word, or its beginning of at least so many letters.</summary>
    private static bool Begins(ReadOnlySpan<byte> text, string word, int least) =>
        text.Length >= least && text.Length <= word.Length && Ascii.EqualsIgnoreCase(text, word.AsSpan(0, text.Length));

    /// <summary>Digits, a point and an exponent; at least one digit.</summary>
    private readonly ref struct DecimalText
    {
        public ReadOnlySpan<byte> Leading { get; private init; }
        public ReadOnlySpan<byte> Trailing { get; private init; }

        /// <summary>Its sign and digits, at least one; or nothing.</summary>
        public ReadOnlySpan<byte> Exponent { get; private init; }

        public bool IsZero => !Leading.ContainsAnyExcept((byte)'0') && !Trailing.ContainsAnyExcept((byte)'0');

        public static bool TryRead(ReadOnlySpan<byte> text, out DecimalText number)
        {
            var leading = TakeDigits(ref text);
            ReadOnlySpan<byte> trailing = [];
            if (!text.IsEmpty && text[0] == '.')
            {
                text = text[1..];
                trailing = TakeDigits(ref text);
            }
            ReadOnlySpan<byte> exponent = [];
            if (!text.IsEmpty && text[0] is (byte)'e' or (byte)'E')
            {
                exponent = text[1..];
                text = exponent.Length > 0 && exponent[0] is (byte)'+' or (byte)'-' ? exponent[1..] : exponent;
                if (TakeDigits(ref text).IsEmpty)
                    text = "e"u8;
            }
            number = new DecimalText
            {
                Leading = leading,
                Trailing = trailing,
                Exponent = exponent,
            };
            return text.IsEmpty && leading.Length + trailing.Length > 0;
        }

        private static ReadOnlySpan<byte> TakeDigits(scoped ref ReadOnlySpan<byte> text)
        {
            var end = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            var digits = end < 0 ? text : text[..end];
            text = text[digits.Length..];
            return digits;
        }
    }
}
