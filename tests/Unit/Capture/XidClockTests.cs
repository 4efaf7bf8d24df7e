using Cdc.Capture.Stream;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class XidClockTests
{
    [Theory]
    [InlineData(1000UL, 1001u, 1001UL)]
    [InlineData(1000UL, 990u, 990UL)]
    [InlineData(0x1_0000_0005UL, 0xFFFF_FFFEu, 0xFFFF_FFFEUL)]
    [InlineData(0x1_FFFF_FFFEUL, 3u, 0x2_0000_0003UL)]
    [InlineData(0x3_8000_0000UL, 3u, 0x3_0000_0003UL)]
    [InlineData(0x3_8000_0010UL, 3u, 0x4_0000_0003UL)]
    public void An_xid_gets_the_epoch_that_brings_it_nearest(ulong reference, uint xid, ulong extended) =>
        Assert.Equal(extended, new XidClock(reference).Extend(xid));

    [Fact]
    public void A_heartbeat_moves_the_reference()
    {
        var clock = new XidClock(1000);
        clock.Observe(0x2_0000_0000);
        Assert.Equal(0x2_0000_03E8UL, clock.Extend(1000));
    }
}
