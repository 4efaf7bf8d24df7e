using Cdc.Apply.Rows;
using Xunit;

namespace Cdc.Tests.Unit.Apply;

public sealed class KeyHighWaterTests
{
    [Fact]
    public void It_rises_and_never_falls_each_entity_by_itself()
    {
        var highest = new KeyHighWater(2);
        Assert.Equal(long.MinValue, highest.Of(0));
        highest.Raise(0, 5);
        highest.Raise(0, 3);
        Assert.Equal((5, long.MinValue), (highest.Of(0), highest.Of(1)));
    }

    [Fact]
    public void Of_many_that_raise_it_at_once_the_highest_stays()
    {
        var highest = new KeyHighWater(1);
        Parallel.For(0, 100_000, key => highest.Raise(0, key));
        Assert.Equal(99_999, highest.Of(0));
    }
}
