using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Expressions.Declaration;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Fences;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Time;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Unit.Reconcile;

public sealed class PacedFenceTests
{
    private static readonly EntityDeclaration Card = EntityFile.Load(SourceTree.PathOf("schemas/entities.json")).Find("card")!;

    private readonly ManualTime _time = new(DateTimeOffset.UnixEpoch);

    [Fact]
    public async Task The_next_fence_waits_until_the_last_one_was_its_share_of_the_time()
    {
        var paced = new PacedFence(new AnyFence(), new Pace(25, _time));
        var first = Open(paced);
        Assert.True(first.IsCompletedSuccessfully);
        _time.Advance(TimeSpan.FromSeconds(2));
        await (await first).DisposeAsync();

        var second = Open(paced);
        Assert.Equal(TimeSpan.FromSeconds(6), _time.NextAlarm);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(second.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        await (await second).DisposeAsync();
    }

    [Fact]
    public async Task Time_that_passed_meanwhile_is_no_pause_and_the_whole_share_needs_none()
    {
        var paced = new PacedFence(new AnyFence(), new Pace(50, _time));
        var fence = await Open(paced);
        _time.Advance(TimeSpan.FromSeconds(3));
        await fence.DisposeAsync();
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.True(Open(paced).IsCompletedSuccessfully);

        var greedy = new PacedFence(new AnyFence(), new Pace(100, _time));
        fence = await Open(greedy);
        _time.Advance(TimeSpan.FromSeconds(3));
        await fence.DisposeAsync();
        Assert.True(Open(greedy).IsCompletedSuccessfully);
    }

    /// <summary>The task itself: it may be waiting.</summary>
    private static Task<FencedSnapshots> Open(PacedFence fence) =>
        fence.OpenAsync(Card, KeyRange.All, TestContext.Current.CancellationToken);

    /// <summary>Opens at once; its servers are asked nothing.</summary>
    private sealed class AnyFence : IFence
    {
        public Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct) =>
            Task.FromResult(new FencedSnapshots(new NpgsqlConnection(), new NpgsqlConnection(), InFlightKeys.None, 1, new Lsn(1)));
    }
}
