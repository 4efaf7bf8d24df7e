using System.Text;
using System.Text.Json;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Transport;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

public sealed class OdooTextTests
{
    [Fact]
    public void Moments_are_UTC_with_whole_seconds_and_no_T()
    {
        var moment = new DateTimeOffset(2026, 12, 31, 23, 59, 59, 999, TimeSpan.FromHours(7));
        Assert.Equal("2026-12-31 16:59:59", OdooText.Of(moment));
        Assert.Equal(new DateTimeOffset(2026, 12, 31, 16, 59, 59, TimeSpan.Zero), OdooText.ReadMoment("2026-12-31 16:59:59"));
        Assert.Null(OdooText.ReadMoment("2026-12-31T16:59:59Z"));
    }

    [Fact]
    public void Days_are_days()
    {
        Assert.Equal("2026-12-31", OdooText.Of(new DateOnly(2026, 12, 31)));
        Assert.Equal(new DateOnly(2026, 12, 31), OdooText.ReadDay("2026-12-31"));
        Assert.Null(OdooText.ReadDay(null));
    }

    [Theory]
    [InlineData(0.1 + 0.2, "0.30000000000000004")]
    [InlineData(380.59999999999997, "380.59999999999997")]
    [InlineData(-5, "-5")]
    public void Numbers_are_read_as_what_they_were(double number, string text) => Assert.Equal(text, OdooText.Of(number));

    [Fact]
    public void No_number_is_never_sent() => Assert.Throws<ArgumentOutOfRangeException>(() => OdooText.Of(double.NaN));

    [Theory]
    [InlineData("19.0", 19, 0)]
    [InlineData("16.0-20260610", 16, 0)]
    [InlineData("saas~18.4+e", 18, 4)]
    [InlineData("saas-17.2", 17, 2)]
    public void Versions_are_read_in_all_their_forms(string text, int major, int minor) =>
        Assert.Equal(new OdooVersion(major, minor), OdooVersion.Parse(text));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("master")]
    public void What_is_no_version_is_none(string? text) => Assert.Null(OdooVersion.Parse(text));

    [Theory]
    [InlineData("""{"a": NaN}""", """{"a": "NaN"}""")]
    [InlineData("[Infinity, -Infinity, -1]", """["Infinity", "-Infinity", -1]""")]
    [InlineData("""{"NaN": "a \" NaN", "b": [NaN]}""", """{"NaN": "a \" NaN", "b": ["NaN"]}""")]
    [InlineData("""{"a": "\\", "b": NaN}""", """{"a": "\\", "b": "NaN"}""")]
    public void Words_of_Python_become_texts_outside_of_texts(string python, string json) =>
        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(json).RootElement, PythonJson.Parse(Encoding.UTF8.GetBytes(python))!.Value));

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("{\"a\": NaN")]
    [InlineData("\"NaN")]
    public void What_is_neither_is_none(string text) => Assert.Null(PythonJson.Parse(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("1796000000000006.0", 1796000000000006)]
    [InlineData("1.796000000000001e+15", 1796000000000001)]
    [InlineData("9007199254740991.0", 9007199254740991)]
    public void Numbers_of_cards_are_read_exactly(string text, long number) =>
        Assert.Equal(number, JsonNumber.ReadWhole(JsonDocument.Parse(text).RootElement));

    [Theory]
    [InlineData("1.5")]
    [InlineData("9007199254740992.0")]
    [InlineData("true")]
    [InlineData("\"NaN\"")]
    public void And_others_are_none(string text) => Assert.Null(JsonNumber.ReadWhole(JsonDocument.Parse(text).RootElement));
}
