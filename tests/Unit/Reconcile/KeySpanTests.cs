using Cdc.Reconcile.Comparing;
using Xunit;

namespace Cdc.Tests.Unit.Reconcile;

public sealed class KeySpanTests
{
    [Theory]
    [InlineData(0, 10, 64, 10)]
    [InlineData(0, 1000, 64, 64)]
    [InlineData(long.MinValue, 4294967296, 64, 64)]
    [InlineData(5, 6, 64, 1)]
    public void Parts_tile_the_span(long low, long high, int parts, int expected)
    {
        var split = new KeySpan(low, high).Split(parts).ToList();
        Assert.Equal(expected, split.Count);
        Assert.Equal((low, high), (split[0].Low, split[^1].High));
        Assert.All(split, s => Assert.False(s.IsEmpty));
        Assert.All(split.Zip(split.Skip(1)), pair => Assert.Equal(pair.First.High, pair.Second.Low));
    }

    [Fact]
    public void What_is_taken_away_leaves_the_rest()
    {
        var span = new KeySpan(0, 100);
        Assert.Equal([span], span.Without([]));
        Assert.Equal([new KeySpan(0, 10), new KeySpan(30, 100)], span.Without([new KeySpan(20, 30), new KeySpan(10, 25)]));
        Assert.Equal([new KeySpan(5, 100)], span.Without([new KeySpan(-50, 5)]));
        Assert.Empty(span.Without([KeySpan.All]));
    }
}
