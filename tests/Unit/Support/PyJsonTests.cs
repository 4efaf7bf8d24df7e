using Cdc.Tests.Support.Odoo.Python;
using Xunit;

namespace Cdc.Tests.Unit.Support;

/// <summary>The stand-in's JSON is Python's: what its answers look like depends on it.</summary>
public sealed class PyJsonTests
{
    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(100, "100.0")]
    [InlineData(102.5, "102.5")]
    [InlineData(0.1 + 0.2, "0.30000000000000004")]
    [InlineData(380.59999999999997, "380.59999999999997")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(1.5e-7, "1.5e-07")]
    [InlineData(1e12, "1000000000000.0")]
    [InlineData(1796000000000001, "1796000000000001.0")]
    [InlineData(9007199254740991, "9007199254740991.0")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1e23, "1e+23")]
    [InlineData(-1.25e100, "-1.25e+100")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(double.NegativeInfinity, "-Infinity")]
    public void A_double_is_written_as_Python_writes_it(double number, string text) => Assert.Equal(text, PyJson.Write(number));

    [Theory]
    [InlineData("""{"a": [1, 1.0, -2, true, null], "b": {}, "c": "x\"\\\n\u0001é", "d": []}""")]
    [InlineData("""[NaN, Infinity, -Infinity, 1796000000000001]""")]
    public void What_was_read_is_written_as_it_was(string text) => Assert.Equal(text, PyJson.Write(PyJson.Parse(text)));

    [Theory]
    [InlineData("", "Expecting value: line 1 column 1 (char 0)")]
    [InlineData("not json", "Expecting value: line 1 column 1 (char 0)")]
    [InlineData("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)")]
    [InlineData("[1,\n2", "Expecting ',' delimiter: line 2 column 2 (char 5)")]
    [InlineData("{} x", "Extra data: line 1 column 4 (char 3)")]
    public void What_is_no_JSON_is_refused_in_Pythons_words(string text, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => PyJson.Parse(text)).Message);
}
