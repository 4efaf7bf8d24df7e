using System.Buffers;
using System.Text;
using Cdc.Core.Postgres.Values;
using Xunit;

namespace Cdc.Tests.Unit.Core.Postgres;

/// <summary>What no PostgreSQL sends; the rest is compared with a server (ExpressionOracleTests).</summary>
public sealed class JsonbTextTests
{
    [Theory]
    [InlineData("{\"a\": ")]
    [InlineData("{\"a")]
    [InlineData("{\"a\\")]
    [InlineData("{\"b\": {\"a\": 1}")]
    [InlineData("{\"b\" 1}")]
    [InlineData("{\"b\": [")]
    public void A_text_that_ends_early_is_an_error_and_not_an_absent_key(string text)
    {
        var key = new ArrayBufferWriter<byte>();
        JsonbText.Quote("c"u8, key);
        var json = Encoding.UTF8.GetBytes(text);
        Assert.Throws<InvalidDataException>(() => JsonbText.TryField(json, key.WrittenSpan, out _));
    }

    [Fact]
    public void Nesting_beyond_reason_is_refused_without_an_overflow_of_the_stack()
    {
        var deep = Encoding.UTF8.GetBytes(new string('[', 1_000_000));
        Assert.False(new JsonbInput().TryRead(deep, out _));
        var objects = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":", 100_000)));
        Assert.False(new JsonbInput().TryRead(objects, out _));
    }
}
