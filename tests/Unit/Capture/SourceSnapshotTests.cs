using Cdc.Capture.Source;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class SourceSnapshotTests
{
    [Theory]
    [InlineData(99, true)]
    [InlineData(100, false)]
    [InlineData(101, true)]
    [InlineData(4294967299, false)]
    [InlineData(4294967300, false)]
    public void It_sees_what_had_ended(ulong xid, bool sees) =>
        Assert.Equal(sees, SourceSnapshot.Parse("100:4294967300:100,4294967299").Sees(xid));

    [Fact]
    public void Nothing_running_sees_all_below_its_end()
    {
        var snapshot = SourceSnapshot.Parse("7:7:");
        Assert.Equal((7UL, 7UL, 0), (snapshot.Xmin, snapshot.Xmax, snapshot.Running.Count));
        Assert.True(snapshot.Sees(6));
        Assert.False(snapshot.Sees(7));
    }

    [Theory]
    [InlineData("7")]
    [InlineData("7:x:")]
    public void What_is_no_snapshot_is_refused(string text) => Assert.Throws<FormatException>(() => SourceSnapshot.Parse(text));
}
