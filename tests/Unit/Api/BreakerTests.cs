using Cdc.Api.Odoo;
using Cdc.Tests.Support.Time;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class BreakerTests
{
    [Fact]
    public void After_failures_in_a_row_nobody_tries_for_a_while_and_then_one_does()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var breaker = new Breaker(2, TimeSpan.FromSeconds(1), time);
        breaker.Failed();
        breaker.Succeeded();
        breaker.Failed();
        Assert.True(breaker.MayTry());
        breaker.Failed();
        Assert.False(breaker.MayTry());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(breaker.MayTry());
        Assert.False(breaker.MayTry());
        breaker.Succeeded();
        Assert.True(breaker.MayTry());
        Assert.True(breaker.MayTry());
    }
}
