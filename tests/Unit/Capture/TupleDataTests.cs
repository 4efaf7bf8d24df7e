using Cdc.Capture.Stream;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class TupleDataTests
{
    [Theory]
    [InlineData("0001" + "62" + "00000002" + "fffe", 0, -2L)]
    [InlineData("0001" + "62" + "00000004" + "7fffffff", 0, 2147483647L)]
    [InlineData("0001" + "62" + "00000008" + "8000000000000000", 0, long.MinValue)]
    [InlineData("0001" + "74" + "00000003" + "2d3432", 0, -42L)]
    [InlineData("0003" + "6e" + "75" + "62" + "00000004" + "00000009", 2, 9L)]
    [InlineData("0002" + "74" + "00000001" + "78" + "62" + "00000004" + "00000009", 1, 9L)]
    [InlineData("0001" + "6e", 0, null)]
    public void A_key_is_read_from_any_integer_width_and_from_text(string hex, int column, long? key) =>
        Assert.Equal(key, TupleData.Integer(Convert.FromHexString(hex), column));

    [Theory]
    [InlineData("0001" + "62" + "00000003" + "000001")]
    [InlineData("0001" + "74" + "00000003" + "347834")]
    public void What_is_no_integer_is_refused(string hex) =>
        Assert.Throws<InvalidDataException>(() => TupleData.Integer(Convert.FromHexString(hex), 0));
}
