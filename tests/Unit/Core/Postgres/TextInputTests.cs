using System.Text;
using Cdc.Core.Postgres.Values;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

/// <summary>What versions of PostgreSQL read differently is read by none of ours; the rest is compared with a server (ExpressionOracleTests).</summary>
public sealed class TextInputTests
{
    [Theory]
    [InlineData("0x1F")]
    [InlineData("1_000")]
    [InlineData("0b1")]
    [InlineData("1e 5")]
    public void What_only_some_versions_take_is_no_number(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Assert.False(TextInput.TryNumeric(bytes, out _));
        Assert.False(TextInput.TryInteger(bytes, out _));
        Assert.False(TextInput.TryDouble(bytes, out _));
    }

    [Theory]
    [InlineData("1e999999999999")]
    [InlineData("1e-999999999999")]
    [InlineData("0e2147483647")]
    public void An_exponent_beyond_reason_costs_nothing(string text)
    {
        Assert.False(TextInput.TryNumeric(Encoding.UTF8.GetBytes(text), out _));
    }
}
