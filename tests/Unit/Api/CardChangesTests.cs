using Cdc.Api.Live;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class CardChangesTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);

    private readonly CardChanges _changes = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_announcement_wakes_those_that_wait_for_its_card()
    {
        using var first = _changes.Of(1);
        using var second = _changes.Of(2);
        var (one, two) = (first.WaitAsync(Long, Ct), second.WaitAsync(Long, Ct));
        _changes.Announce([(7, null), (2, 0xABCu)]);
        Assert.True(await two);
        Assert.False(one.IsCompleted);
        _changes.Announce(null);
        Assert.True(await one);
    }

    [Fact]
    public async Task What_is_announced_before_the_wait_is_not_missed_and_many_announcements_are_one()
    {
        using var card = _changes.Of(1);
        for (var i = 0; i < 3; i++)
            _changes.Announce([(1, null)]);
        Assert.True(await card.WaitAsync(Long, Ct));
        Assert.False(await card.WaitAsync(TimeSpan.Zero, Ct));
    }

    [Fact]
    public void One_that_is_gone_is_not_woken()
    {
        _changes.Of(1).Dispose();
        _changes.Announce([(1, null)]);
        _changes.Announce(null);
    }
}
