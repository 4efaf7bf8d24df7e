using System.Globalization;
using Cdc.Core.Postgres.Values;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

public sealed class FloatConversionTests
{
    [Theory]
    [InlineData(99999999.99999991, "99999999.9999999")]
    [InlineData(-99999999.99999991, "-99999999.9999999")]
    [InlineData(99999999.99999999, "100000000")]
    [InlineData(100000000.00000001, "100000000")]
    public void A_float_beside_a_power_of_ten_keeps_fifteen_digits(double value, string numeric) =>
        Assert.Equal(numeric, FloatConversion.ToNumeric(value, FloatConversion.DoubleDigits).ToString());

    [Fact]
    public void Floats_on_both_sides_of_every_power_of_ten_have_the_digits_that_they_are_written_with()
    {
        for (var power = -4; power <= 14; power++)
        {
            var exact = double.Parse($"1e{power}", CultureInfo.InvariantCulture);
            var (below, above) = (exact, exact);
            for (var steps = 0; steps < 300; steps++, below = Math.BitDecrement(below), above = Math.BitIncrement(above))
                foreach (var value in (double[])[below, above])
                {
                    var digits = decimal.Parse(
                        value.ToString("E14", CultureInfo.InvariantCulture),
                        NumberStyles.Float,
                        CultureInfo.InvariantCulture
                    );
                    var numeric = FloatConversion.ToNumeric(value, FloatConversion.DoubleDigits).ToString();
                    Assert.Equal(digits, decimal.Parse(numeric, CultureInfo.InvariantCulture));
                }
        }
    }
}
