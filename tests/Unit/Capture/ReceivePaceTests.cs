using Cdc.Capture.Stream;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class ReceivePaceTests
{
    private double _now;

    [Fact]
    public void A_quiet_stream_is_passed_on_at_once_and_at_last_nothing_ticks()
    {
        var pace = new ReceivePace(() => _now);
        var steps = Enumerable.Range(0, 200).Select(_ => After(pace, 5, 0)).ToList();
        Assert.All(steps, s => Assert.False(s.Gather));
        Assert.All(steps.SkipLast(1), s => Assert.False(s.Park));
        Assert.True(steps[^1].Park);
        Assert.False(After(pace, 5, 100).Park);
    }

    [Fact]
    public void A_steady_stream_is_gathered_for_a_millisecond_a_backlog_for_five()
    {
        var pace = new ReceivePace(() => _now);
        Assert.Equal(new ReceivePace.Step(1, Gather: true, Park: false), Settled(pace, bytesEachMillisecond: 1000));
        Assert.Equal(new ReceivePace.Step(5, Gather: true, Park: false), Settled(pace, bytesEachMillisecond: 50_000));
        Assert.Equal(new ReceivePace.Step(1, Gather: true, Park: false), Settled(pace, bytesEachMillisecond: 1000));
        Assert.False(Settled(pace, bytesEachMillisecond: 10).Gather);
    }

    [Fact]
    public void One_empty_step_does_not_end_a_backlog()
    {
        var pace = new ReceivePace(() => _now);
        Settled(pace, 50_000);
        Assert.Equal(new ReceivePace.Step(5, Gather: true, Park: false), After(pace, 5, 0));
    }

    private ReceivePace.Step Settled(ReceivePace pace, int bytesEachMillisecond)
    {
        var step = After(pace, 1, bytesEachMillisecond);
        for (var i = 0; i < 20; i++)
            step = After(pace, 1, bytesEachMillisecond);
        return step;
    }

    private ReceivePace.Step After(ReceivePace pace, int milliseconds, long bytes)
    {
        _now += milliseconds;
        return pace.Next(bytes);
    }
}
