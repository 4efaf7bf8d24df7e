using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class TimelineHistoryTests
{
    private const string Third = "1\t0/3000028\tno recovery target specified\n\n2\t1/A0\tbefore 2026-01-01 00:00:00+00\n";

    [Fact]
    public void The_switch_point_of_every_timeline_on_the_way_is_found()
    {
        Assert.Equal(Lsn.Parse("0/3000028"), TimelineHistory.SwitchPoint(Third, 1));
        Assert.Equal(Lsn.Parse("1/A0"), TimelineHistory.SwitchPoint(Third, 2));
    }

    [Fact]
    public void A_timeline_that_was_never_on_the_way_has_none() => Assert.Null(TimelineHistory.SwitchPoint(Third, 4));
}
