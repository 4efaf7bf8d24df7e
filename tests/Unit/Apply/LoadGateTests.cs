using Cdc.Apply;
using Cdc.Core.Snapshots;
using Xunit;

namespace Cdc.Tests.Unit.Apply;

public sealed class LoadGateTests
{
    private readonly LoadGate _gate = new();

    [Fact]
    public async Task The_stream_waits_for_a_load_of_its_keys_and_for_no_other()
    {
        Assert.True(_gate.TryReserve(Job(1, 10, 20)));
        Assert.True(_gate.EnterAsync(0, [1, 9, 20]).IsCompleted);
        Assert.True(_gate.EnterAsync(1, [15]).IsCompleted);
        var waiting = _gate.EnterAsync(0, [9, 15, 30]);
        Assert.False(waiting.IsCompleted);
        _gate.Release(Job(1, 10, 20));
        await waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_load_is_refused_while_the_open_transaction_has_touched_its_keys()
    {
        Assert.True(_gate.EnterAsync(0, [15]).IsCompleted);
        Assert.False(_gate.TryReserve(Job(1, 10, 20)));
        Assert.True(_gate.TryReserve(Job(2, 16, 20)));
        Assert.True(_gate.TryReserve(Job(3, null, 15)));
        Assert.True(_gate.TryReserve(Job(4, 10, 20, entity: 1)));
        _gate.Leave();
        Assert.True(_gate.TryReserve(Job(1, 10, 20)));
    }

    [Fact]
    public void A_load_that_comes_while_the_stream_waits_cannot_get_before_it()
    {
        Assert.True(_gate.TryReserve(Job(1, null, 20)));
        Assert.False(_gate.EnterAsync(0, [5, 25]).IsCompleted);
        Assert.False(_gate.TryReserve(Job(2, 20, null)));
    }

    [Fact]
    public async Task A_truncate_waits_for_every_load_of_its_table_and_refuses_new_ones()
    {
        Assert.True(_gate.TryReserve(Job(1, 10, 20)));
        Assert.True(_gate.TryReserve(Job(2, 20, 30)));
        Assert.True(_gate.TryReserve(Job(3, 10, 20, entity: 1)));
        var waiting = _gate.EnterAllAsync(0);
        Assert.False(_gate.TryReserve(Job(4, 100, 200)));
        _gate.Release(Job(1, 10, 20));
        Assert.False(waiting.IsCompleted);
        _gate.Release(Job(2, 20, 30));
        await waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_transaction_too_large_to_remember_counts_as_having_touched_every_key()
    {
        for (var batch = 0L; batch < 6; batch++)
            _ = _gate.EnterAsync(0, [.. Enumerable.Range(0, 50_000).Select(i => batch * 50_000 + i)]);
        Assert.False(_gate.TryReserve(Job(1, 1_000_000, null)));
        _gate.Leave();
        Assert.True(_gate.TryReserve(Job(1, 1_000_000, null)));
    }

    [Fact]
    public void No_keys_touch_nothing()
    {
        Assert.True(_gate.TryReserve(Job(1, null, null)));
        Assert.True(_gate.EnterAsync(0, []).IsCompleted);
        Assert.True(_gate.TryReserve(Job(2, 5, 6)));
    }

    [Fact]
    public async Task Whoever_waits_goes_on_when_no_load_will_come_any_more()
    {
        Assert.True(_gate.TryReserve(Job(1, 10, 20)));
        var waiting = _gate.EnterAsync(0, [15]);
        _gate.ReleaseAll();
        await waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        _gate.Release(Job(1, 10, 20));
    }

    private static ChunkJob Job(long id, long? from, long? to, int entity = 0) =>
        new(id, 1, entity, ChunkKind.Load, new KeyRange(from, to), null);
}
