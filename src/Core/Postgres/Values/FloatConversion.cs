using System.Globalization;
using System.Numerics;

namespace Cdc.Core.Postgres.Values;

/// <summary>PostgreSQL's casts between floating point and numeric, which go through a decimal text of few digits.</summary>
public static class FloatConversion
{
    /// <summary>Significant digits that PostgreSQL keeps (DBL_DIG, FLT_DIG).</summary>
    public const int DoubleDigits = 15,
        SingleDigits = 6;

    private const double ExactHundredths = 1e15;
    private const long LeastFifteenDigits = 100_000_000_000_000,
        LeastSixteenDigits = 1_000_000_000_000_000;

    private static readonly ulong[] UnsignedPowers = [.. Enumerable.Range(0, 20).Select(n => (ulong)BigInteger.Pow(10, n))];

    public static SqlNumeric ToNumeric(double value, int significantDigits)
    {
        if (double.IsNaN(value))
            return SqlNumeric.NaN;
        if (double.IsInfinity(value))
            return value > 0 ? SqlNumeric.PositiveInfinity : SqlNumeric.NegativeInfinity;
        // Most money has two decimals at most. If the nearest hundredth has 15 digits and is this very double, those are its digits:
        // a double gives back any decimal of 15 digits.
        var hundredths = Math.Round(value * 100);
        if (significantDigits == DoubleDigits && Math.Abs(hundredths) < ExactHundredths && hundredths / 100.0 == value)
            return FromHundredths((long)hundredths);
        return FromDigits(value, significantDigits);
    }

    /// <summary>False: PostgreSQL refuses what a double can only hold as infinity or as zero.</summary>
    public static bool TryToDouble(in SqlNumeric value, out double result)
    {
        result = value.Special switch
        {
            SqlNumeric.Kind.NaN => double.NaN,
            SqlNumeric.Kind.PositiveInfinity => double.PositiveInfinity,
            SqlNumeric.Kind.NegativeInfinity => double.NegativeInfinity,
            _ => double.Parse(value.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture),
        };
        return !value.IsFinite || (!double.IsInfinity(result) && (result != 0 || value.Unscaled.IsZero));
    }

    private static SqlNumeric FromHundredths(long hundredths)
    {
        var (whole, rest) = Math.DivRem(hundredths, 100);
        if (rest == 0)
            return new(whole, 0);
        return rest % 10 == 0 ? new(hundredths / 10, 1) : new(hundredths, 2);
    }

    /// <summary>round(value::numeric, 2), as money is declared: mostly the nearest hundredth itself.</summary>
    public static SqlNumeric ToHundredths(double value)
    {
        var hundredths = Math.Round(value * 100);
        return Math.Abs(hundredths) < ExactHundredths && hundredths / 100.0 == value
            ? new((long)hundredths, 2)
            : ToNumeric(value, DoubleDigits).Round(2);
    }

    private static SqlNumeric FromDigits(double value, int significantDigits)
    {
        if (significantDigits != DoubleDigits || !TryScale(Math.Abs(value), out var mantissa, out var exponent))
            (mantissa, exponent) = Decompose(Math.Abs(value), significantDigits);
        if (mantissa == 0)
            return default;
        while (mantissa % 10 == 0)
        {
            mantissa /= 10;
            exponent++;
        }
        if (value < 0)
            mantissa = -mantissa;
        return exponent <= 0 ? new(mantissa, -exponent) : SqlNumeric.Shifted(mantissa, -exponent);
    }

    /// <summary>Fifteen digits of an everyday value, exactly, in 128 bits: its 53 bits times a power of ten, shifted, ties to even.</summary>
    private static bool TryScale(double value, out long mantissa, out int exponent)
    {
        (mantissa, exponent) = (0, 0);
        if (value is not (> 1e-4 and < 1e14))
            return false;
        var bits = BitConverter.DoubleToInt64Bits(value);
        var fraction = (ulong)(bits & 0xF_FFFF_FFFF_FFFF | 1L << 52);
        var shift = 1075 - (int)(bits >> 52);
        var power = DoubleDigits - 1 - (int)Math.Floor(Math.Log10(value));
        mantissa = Scaled(fraction, power, shift);
        // Beside a power of ten the logarithm may be off by one, and what is left of it rounds up to that power.
        if (mantissa >= LeastSixteenDigits)
            mantissa = Scaled(fraction, --power, shift);
        else if (mantissa <= LeastFifteenDigits && Scaled(fraction, power + 1, shift) is < LeastSixteenDigits and var finer)
            (mantissa, power) = (finer, power + 1);
        exponent = -power;
        return true;
    }

    private static long Scaled(ulong fraction, int power, int shift)
    {
        var product = new UInt128(Math.BigMul(fraction, UnsignedPowers[power], out var low), low);
        var quotient = (ulong)(product >> shift);
        var rest = product & ((UInt128.One << shift) - 1);
        var half = UInt128.One << (shift - 1);
        return (long)(rest > half || (rest == half && (quotient & 1) != 0) ? quotient + 1 : quotient);
    }

    /// <summary>|value| ≈ mantissa × 10^exponent, the mantissa of that many digits, ties to even as printf does.</summary>
    private static (long Mantissa, int Exponent) Decompose(double value, int significantDigits)
    {
        Span<char> text = stackalloc char[32];
        // Three extra digits show whether the value is near a tie, which .NET's own rounding to fewer digits does not settle as C does.
        value.TryFormat(text, out var length, significantDigits == DoubleDigits ? "E17" : "E8", CultureInfo.InvariantCulture);
        var written = text[..length];
        var exponentAt = written.IndexOf('E');
        var exponent = int.Parse(written[(exponentAt + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var long18 = (written[0] - '0') * 1L;
        foreach (var digit in written[2..exponentAt])
            long18 = long18 * 10 + (digit - '0');
        var (mantissa, rest) = Math.DivRem(long18, 1000);
        if (rest > 500 || (rest == 500 && RoundsTieUp(value, mantissa, exponent - significantDigits + 1)))
            mantissa++;
        return (mantissa, exponent - significantDigits + 1);
    }

    /// <summary>The value is at or next to mantissa + ½: decided on its exact binary value.</summary>
    private static bool RoundsTieUp(double value, long mantissa, int exponent)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var biased = (int)(bits >> 52);
        var fraction = bits & 0xF_FFFF_FFFF_FFFF;
        BigInteger exact = biased == 0 ? fraction : fraction | (1L << 52);
        var power = Math.Max(biased, 1) - 1075;
        // Twice the value against twice the mantissa plus one, both as integers.
        exact *= 2;
        BigInteger tie = 2 * (BigInteger)mantissa + 1;
        if (power >= 0)
            exact <<= power;
        else
            tie <<= -power;
        if (exponent >= 0)
            tie *= SqlNumeric.PowerOfTen(exponent);
        else
            exact *= SqlNumeric.PowerOfTen(-exponent);
        var order = exact.CompareTo(tie);
        return order > 0 || (order == 0 && mantissa % 2 != 0);
    }
}
