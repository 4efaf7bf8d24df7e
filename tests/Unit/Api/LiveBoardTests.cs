using Cdc.Api.Page;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class LiveBoardTests
{
    private readonly LiveBoard _board = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_comes_back_gets_what_followed_and_who_is_new_gets_everything()
    {
        Add(1, 2);
        var (id, first) = await _board.NextAsync(null, Ct);
        Assert.True(first.Reset);
        Assert.Equal([1, 2], Numbers(first));
        var waiting = _board.NextAsync(id, Ct);
        Assert.False(waiting.IsCompleted);
        Add(3);
        Add(4);
        List<int> followed = [];
        for (var next = await waiting; ; next = await _board.NextAsync(next.Id, Ct))
        {
            Assert.False(next.Tick.Reset);
            followed.AddRange(Numbers(next.Tick));
            if (followed[^1] == 4)
                break;
        }
        Assert.Equal([3, 4], followed);
    }

    [Fact]
    public async Task A_number_of_another_process_or_from_before_what_is_kept_begins_anew()
    {
        Add(1);
        var (early, _) = await _board.NextAsync(null, Ct);
        foreach (var foreign in (string[])["00000000-1", early + "9", "x", ""])
            Assert.True((await _board.NextAsync(foreign, Ct)).Tick.Reset);
        Add([.. Enumerable.Range(2, LiveBoard.Kept)]);
        var (_, all) = await _board.NextAsync(early, Ct);
        Assert.Equal((false, LiveBoard.Kept), (all.Reset, all.Points.Count));
        Add(LiveBoard.Kept + 2);
        Assert.True((await _board.NextAsync(early, Ct)).Tick.Reset);
    }

    [Fact]
    public async Task Viewers_are_counted_and_the_first_one_wakes_who_takes_points()
    {
        var watched = _board.Watched;
        var (one, other) = (_board.Watch(), _board.Watch());
        await watched.WaitAsync(Ct);
        Assert.Equal(2, _board.Viewers);
        one.Dispose();
        one.Dispose();
        Assert.Equal((1, true), (_board.Viewers, _board.Watched.IsCompleted));
        other.Dispose();
        Assert.Equal((0, false), (_board.Viewers, _board.Watched.IsCompleted));
    }

    [Fact]
    public void A_rate_is_over_its_window_and_unknown_where_the_count_fell()
    {
        var (each, slow, at) = (new RowRate(TimeSpan.Zero), new RowRate(TimeSpan.FromSeconds(10)), DateTimeOffset.UnixEpoch);
        Assert.Null(each.Next(at, 100));
        Assert.Equal(50, each.Next(at.AddSeconds(2), 200));
        Assert.Equal(0, each.Next(at.AddSeconds(3), 200));
        Assert.Null(each.Next(at.AddSeconds(4), 5));
        double? last = null;
        // Reported every five seconds, asked every second: it does not jump to zero between.
        for (var second = 0; second <= 30; second++)
            last = slow.Next(at.AddSeconds(second), second / 5 * 500);
        Assert.Equal(100, last);
    }

    [Fact]
    public void Percentiles_are_of_what_came_since_the_last_time()
    {
        var window = new LatencyWindow();
        Assert.Equal((null, null), window.Take());
        for (var i = 100; i >= 1; i--)
            window.Add(i);
        Assert.Equal((50, 99), window.Take());
        Assert.Equal((null, null), window.Take());
    }

    private void Add(params int[] numbers)
    {
        foreach (var number in numbers)
            _board.Add(new LivePoint(number, [], null, null, null), null!);
    }

    private static int[] Numbers(LiveTick tick) => [.. tick.Points.Select(p => (int)p.At)];
}
