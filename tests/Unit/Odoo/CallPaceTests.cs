using Cdc.Odoo.Transport;
using Cdc.Tests.Support.Time;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

public sealed class CallPaceTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Turns_that_were_not_used_are_not_saved_up()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        using var pace = new CallPace(4, 1, time);
        await pace.EnterAsync(Ct);
        time.Advance(TimeSpan.FromMinutes(1));
        await pace.EnterAsync(Ct);
        var third = pace.EnterAsync(Ct);
        Assert.Equal(TimeSpan.FromSeconds(1), time.NextAlarm);
        time.Advance(TimeSpan.FromSeconds(1));
        await third;
    }

    [Fact]
    public async Task Beyond_the_places_calls_wait_for_one_that_ends()
    {
        using var pace = new CallPace(2, 0, TimeProvider.System);
        await pace.EnterAsync(Ct);
        await pace.EnterAsync(Ct);
        var third = pace.EnterAsync(Ct);
        Assert.False(third.IsCompleted);
        pace.Leave();
        await third;
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_his_place()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        using var pace = new CallPace(2, 1, time);
        await pace.EnterAsync(Ct);
        using var given = new CancellationTokenSource();
        var waiting = pace.EnterAsync(given.Token);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(pace.EnterAsync(Ct).IsCompletedSuccessfully);
    }
}
