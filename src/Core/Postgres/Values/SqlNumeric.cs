using System.Globalization;
using System.Numerics;

namespace Cdc.Core.Postgres.Values;

/// <summary>
/// PostgreSQL's numeric: NaN, the infinities, or an integer divided by a power of ten, of any size (System.Decimal ends at 28 digits).
/// What fits in 64 bits is held without allocation.
/// </summary>
public readonly struct SqlNumeric
{
    public enum Kind : byte
    {
        Finite,
        NegativeInfinity,
        PositiveInfinity,
        NaN,
    }

    /// <summary>What PostgreSQL's numeric can hold: so many digits before the point, and so many behind it.</summary>
    public const int MaxDigitsBefore = 131_072,
        MaxScale = 16_383;

    private static readonly long[] Powers = [.. Enumerable.Range(0, 19).Select(n => (long)BigInteger.Pow(10, n))];

    private readonly long _small;
    private readonly object? _large;

    private SqlNumeric(Kind special) => Special = special;

    public SqlNumeric(long unscaled, int scale) => (_small, Scale) = (unscaled, scale);

    public SqlNumeric(BigInteger unscaled, int scale)
    {
        Scale = scale;
        if (unscaled >= long.MinValue && unscaled <= long.MaxValue)
            _small = (long)unscaled;
        else
            _large = unscaled;
    }

    public static SqlNumeric NaN => new(Kind.NaN);
    public static SqlNumeric PositiveInfinity => new(Kind.PositiveInfinity);
    public static SqlNumeric NegativeInfinity => new(Kind.NegativeInfinity);

    /// <summary>Digits after the point; what PostgreSQL calls the display scale.</summary>
    public int Scale { get; }
    public Kind Special { get; }
    public bool IsFinite => Special == Kind.Finite;

    /// <summary>The value is <see cref="Unscaled"/> / 10^<see cref="Scale"/>, and fits in <see cref="Small"/>.</summary>
    public bool IsSmall => _large is null;
    public long Small => _small;
    private int Sign => _large is BigInteger large ? large.Sign : Math.Sign(_small);
    public BigInteger Unscaled => _large is BigInteger large ? large : _small;

    public static BigInteger PowerOfTen(int n) => n < Powers.Length ? Powers[n] : BigInteger.Pow(10, n);

    /// <summary>NaN equals NaN and is greater than everything.</summary>
    public static int Compare(in SqlNumeric a, in SqlNumeric b)
    {
        if (!a.IsFinite || !b.IsFinite)
            return Rank(a).CompareTo(Rank(b));
        if (a.IsSmall && b.IsSmall && a.Scale == b.Scale)
            return a._small.CompareTo(b._small);
        var scale = Math.Max(a.Scale, b.Scale);
        if (TryScaleUp(a, scale, out var x) && TryScaleUp(b, scale, out var y))
            return x.CompareTo(y);
        return (a.Unscaled * PowerOfTen(scale - a.Scale)).CompareTo(b.Unscaled * PowerOfTen(scale - b.Scale));
    }

    /// <summary>Half away from zero, to <paramref name="digits"/> after the point (before it, if negative).</summary>
    public SqlNumeric Round(int digits)
    {
        if (!IsFinite || digits == Scale && digits >= 0)
            return this;
        if (digits >= Scale)
            return TryScaleUp(this, digits, out var scaled) ? new(scaled, digits) : new(Unscaled * PowerOfTen(digits - Scale), digits);
        var drop = Scale - digits;
        if (IsSmall && digits >= 0 && drop < Powers.Length)
            return new(RoundedQuotient(_small, Powers[drop]), digits);
        var rounded = RoundedQuotient(Unscaled, PowerOfTen(drop));
        return digits >= 0 ? new(rounded, digits) : new(rounded * PowerOfTen(-digits), 0);
    }

    public SqlNumeric Negate() =>
        Special switch
        {
            Kind.NaN => this,
            Kind.PositiveInfinity => NegativeInfinity,
            Kind.NegativeInfinity => PositiveInfinity,
            _ => IsSmall && _small != long.MinValue ? new(-_small, Scale) : new(-Unscaled, Scale),
        };

    public static SqlNumeric Add(in SqlNumeric a, in SqlNumeric b)
    {
        if (!a.IsFinite || !b.IsFinite)
            return a.Special == Kind.NaN || b.Special == Kind.NaN || (!a.IsFinite && !b.IsFinite && a.Special != b.Special) ? NaN
                : a.IsFinite ? b
                : a;
        var scale = Math.Max(a.Scale, b.Scale);
        if (TryScaleUp(a, scale, out var x) && TryScaleUp(b, scale, out var y))
        {
            var sum = unchecked(x + y);
            // An overflow has a sign that neither of them has.
            if (((x ^ sum) & (y ^ sum)) >= 0)
                return new(sum, scale);
        }
        return new(a.Unscaled * PowerOfTen(scale - a.Scale) + b.Unscaled * PowerOfTen(scale - b.Scale), scale);
    }

    /// <summary>The decimals of both together, as far as numeric can hold them.</summary>
    public static SqlNumeric Multiply(in SqlNumeric a, in SqlNumeric b)
    {
        if (a.Special == Kind.NaN || b.Special == Kind.NaN)
            return NaN;
        if (!a.IsFinite || !b.IsFinite)
            return (a.SignOf * b.SignOf) switch
            {
                0 => NaN,
                > 0 => PositiveInfinity,
                _ => NegativeInfinity,
            };
        var scale = a.Scale + b.Scale;
        if (a.IsSmall && b.IsSmall && Math.BigMul(a._small, b._small, out var low) == low >> 63)
            return new SqlNumeric(low, scale).Round(Math.Min(scale, MaxScale));
        return new SqlNumeric(a.Unscaled * b.Unscaled, scale).Round(Math.Min(scale, MaxScale));
    }

    /// <summary>Fewer digits before the point than PostgreSQL refuses; so are all values that it has sent.</summary>
    public bool FitsNumeric =>
        !IsFinite || IsSmall || Unscaled.GetBitLength() < MaxDigitsBefore || BigInteger.Abs(Unscaled) < PowerOfTen(MaxDigitsBefore + Scale);

    private int SignOf =>
        Special switch
        {
            Kind.PositiveInfinity => 1,
            Kind.NegativeInfinity => -1,
            _ => Sign,
        };

    public SqlNumeric Abs() => Special == Kind.NegativeInfinity || (IsFinite && Sign < 0) ? Negate() : this;

    /// <summary>A number as SQL writes it, with an exponent if need be.</summary>
    public static SqlNumeric Parse(ReadOnlySpan<char> text)
    {
        var exponentAt = text.IndexOfAny('e', 'E');
        var exponent =
            exponentAt < 0 ? 0 : int.Parse(text[(exponentAt + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = exponentAt < 0 ? text : text[..exponentAt];
        var point = mantissa.IndexOf('.');
        var digits = point < 0 ? mantissa.ToString() : string.Concat(mantissa[..point], mantissa[(point + 1)..]);
        var unscaled = BigInteger.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return Shifted(unscaled, (point < 0 ? 0 : mantissa.Length - point - 1) - exponent);
    }

    /// <summary>A negative scale becomes zeros before the point.</summary>
    public static SqlNumeric Shifted(BigInteger unscaled, int scale) =>
        scale >= 0 ? new(unscaled, scale) : new(unscaled * PowerOfTen(-scale), 0);

    public override string ToString()
    {
        switch (Special)
        {
            case Kind.NaN:
                return "NaN";
            case Kind.PositiveInfinity:
                return "Infinity";
            case Kind.NegativeInfinity:
                return "-Infinity";
        }
        var digits = BigInteger.Abs(Unscaled).ToString(CultureInfo.InvariantCulture).PadLeft(Scale + 1, '0');
        var text = Scale == 0 ? digits : $"{digits[..^Scale]}.{digits[^Scale..]}";
        return Unscaled.Sign < 0 ? "-" + text : text;
    }

    private static int Rank(in SqlNumeric value) =>
        value.Special switch
        {
            Kind.NegativeInfinity => -1,
            Kind.PositiveInfinity => 1,
            Kind.NaN => 2,
            _ => 0,
        };

    private static bool TryScaleUp(in SqlNumeric value, int scale, out long scaled)
    {
        scaled = 0;
        if (!value.IsSmall || scale - value.Scale >= Powers.Length)
            return false;
        return Math.BigMul(value._small, Powers[scale - value.Scale], out scaled) == scaled >> 63;
    }

    private static long RoundedQuotient(long value, long divisor)
    {
        var (quotient, rest) = Math.DivRem(value, divisor);
        // The rest is smaller than the divisor, which is at most 10^18: doubling it does not overflow.
        return Math.Abs(rest) * 2 >= divisor ? quotient + Math.Sign(value) : quotient;
    }

    private static BigInteger RoundedQuotient(BigInteger value, BigInteger divisor)
    {
        var quotient = BigInteger.DivRem(value, divisor, out var rest);
        return BigInteger.Abs(rest) * 2 >= divisor ? quotient + value.Sign : quotient;
    }
}
