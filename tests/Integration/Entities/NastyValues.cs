using System.Globalization;

namespace Cdc.Tests.Integration.Entities;

/// <summary>Values, as PostgreSQL's text, at which transforms of other systems broke.</summary>
internal static class NastyValues
{
    private static readonly string?[] Fixed8 =
    [
        null,
        "0",
        "-0",
        "0.005",
        "-0.005",
        "0.015",
        "0.025",
        "1.005",
        "2.675",
        "-2.675",
        "0.004",
        "-0.004",
        "33.333333333333336",
        "0.30000000000000004",
        "0.1",
        "12.5",
        "100",
        "1234567.89",
        "0.5",
        "1.5",
        "2.5",
        "-0.5",
        "1e15",
        "-1e15",
        "999999999999999.9",
        "9999999999999.99",
        "99999999999999.985",
        "1e16",
        "9999999999999999",
        "9999999999999998",
        "1e17",
        "1.5e16",
        "4503599627370496.5",
        "100000000000000.5",
        "100000000000001.5",
        "0.0000125",
        "1e300",
        "-1e300",
        "1.7976931348623157e308",
        "5e-324",
        "2.2250738585072014e-308",
        "1e-7",
        "NaN",
        "Infinity",
        "-Infinity",
        "2147483647.5",
        "-2147483648.5",
        "9223372036854775807",
        "-9223372036854775808",
        "9.2e18",
    ];

    public static readonly string?[] Integers4 = [null, "0", "1", "-1", "7", "2147483647", "-2147483648", "40000"];
    public static readonly string?[] Integers8 =
    [
        null,
        "0",
        "1",
        "-1",
        "2147483648",
        "4294967296",
        "9223372036854775807",
        "-9223372036854775808",
    ];
    public static readonly string?[] Integers2 = [null, "0", "1", "32767", "-32768"];
    public static readonly string?[] Singles =
    [
        null,
        "0",
        "-0",
        "0.1",
        "0.005",
        "16777217",
        "1234567",
        "3.4028235e38",
        "1e-45",
        "NaN",
        "Infinity",
        "-Infinity",
        "0.5",
        "-2.5",
        "33.333332",
    ];
    public static readonly string?[] Booleans = [null, "t", "f"];
    public static readonly string?[] Dates =
    [
        null,
        "2000-01-01",
        "1999-12-31",
        "5874897-12-31",
        "4713-01-01 BC",
        "infinity",
        "-infinity",
        "2026-02-28",
    ];

    public static readonly string?[] Numerics =
    [
        null,
        "0",
        "0.00",
        "-0.5",
        "0.5",
        "1.5",
        "2.50",
        "9999.99995",
        "10000",
        "100000000",
        "-123456789012.345",
        "9999999999999999.994",
        "9999999999999999.995",
        "1e20",
        "-1e20",
        "1e-20",
        "1e400",
        "1e-400",
        "123456789012345678901234567890.123456789012345678901234567890",
        "NaN",
        "Infinity",
        "-Infinity",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "0.00001",
        "1000000000000000000.0000",
    ];

    public static readonly string?[] Texts =
    [
        null,
        "",
        " ",
        "\t",
        " \t\r\n\f\v ",
        "abc",
        " ab c\t",
        "\u00a0abc\u00a0",
        "abcv",
        "v",
        "vV",
        "straße",
        "ÀÉî ıİ",
        "😀",
        " \t😀x\n",
        "日本語",
        "true",
        "NaN",
        "0",
        "z",
        "Z",
        "a\u0301",
        "\u3000x\u3000",
        "GIFT-0001 ",
        new string('é', 200),
        "A\\B'\"",
    ];

    /// <summary>Numbers and truths as text, and what is none; nothing that only some versions of PostgreSQL take.</summary>
    public static readonly string?[] Figures =
    [
        null,
        "",
        " ",
        "0",
        "-0",
        "+5",
        "5.",
        ".5",
        ".",
        "-",
        "-.5e3",
        " 12 ",
        "\t7\n\v\f\r",
        "1e5",
        "1E+5",
        "15e-1",
        "1e",
        "1e+",
        "e5",
        "1e5.5",
        "1.2.3",
        "--5",
        "+-5",
        "12.5",
        "0.1000",
        "-0.005",
        "00012",
        "0000000000000000000000000000007",
        "NaN",
        " nAn ",
        "-NaN",
        "+nan",
        "Infinity",
        "-inf",
        "+INFINITY",
        "infinit",
        "32767",
        "32768",
        "-32769",
        "2147483647",
        "2147483648",
        "-2147483648",
        "-2147483649",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "123456789012345678901234567890.1234567890",
        "999999999999999999.99",
        "9999999999999999.994",
        "9999999999999999.995",
        "1e400",
        "1e-400",
        "4.9e-324",
        "2e-324",
        "0e-400",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "2.2250738585072014e-308",
        "0.30000000000000004",
        "1e131071",
        "1e131072",
        "0.01e131073",
        "1e-16383",
        "1e-16384",
        "0e-16384",
        "0e5",
        "true",
        "t",
        "TRU",
        "truex",
        "yes",
        "y",
        "on",
        "o",
        "of",
        "off",
        "offf",
        " f ",
        "no",
        "n",
        "1",
        "2",
        "abc",
        "12abc",
        "1 2",
        "1 e5",
        "é",
        "\u00a05",
    ];

    public static readonly string?[] Timestamps =
    [
        null,
        "2000-01-01 00:00:00",
        "1999-12-31 23:59:59.999999",
        "2026-11-21 05:31:00.123456",
        "infinity",
        "-infinity",
        "294276-12-31 23:59:59.999999",
        "4714-11-24 00:00:00 BC",
        "1970-01-01",
        "0001-01-01 BC",
        "1582-10-15 12:00:00.5",
    ];

    /// <summary>The fixed ones, and random ones: money of two and three decimals, and bits.</summary>
    public static string?[] Doubles(int seed)
    {
        var random = new Random(seed);
        var money = Enumerable.Range(0, 60).Select(_ => (random.NextInt64(-1_000_000_000, 1_000_000_000) / 100.0));
        var thousandths = Enumerable.Range(0, 60).Select(_ => (random.Next(-1_000_000, 1_000_000) * 10 + 5) / 1000.0);
        var bits = Enumerable
            .Range(0, 120)
            .Select(_ => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)))
            .Where(double.IsFinite);
        var near = Enumerable.Range(0, 60).Select(_ => Math.BitIncrement(random.Next(0, 100_000) / 100.0));
        // Sixteen digits that end in 5: a tie for the fifteen that PostgreSQL keeps.
        var ties = Enumerable
            .Range(0, 40)
            .Select(_ => random.NextInt64(100_000_000_000_000, 562_949_953_421_312) + 0.5)
            .Concat(
                Enumerable.Range(0, 40).Select(_ => random.NextInt64(10_000_000_000_000, 100_000_000_000_000) + random.Next(2) * 0.5 + 0.25)
            );
        return
        [
            .. Fixed8,
            .. money.Concat(thousandths).Concat(bits).Concat(near).Concat(ties).Select(d => d.ToString("R", CultureInfo.InvariantCulture)),
        ];
    }
}
