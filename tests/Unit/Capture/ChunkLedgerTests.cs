using Cdc.Capture.Snapshot;
using Cdc.Capture.Source;
using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class ChunkLedgerTests
{
    private static readonly ChunkJob Table = new(1, 1, 0, ChunkKind.Load, KeyRange.All, null);
    private static readonly SourceSnapshot SeesTen = SourceSnapshot.Parse("11:11:");
    private static readonly SourceSnapshot DoesNotSeeTen = SourceSnapshot.Parse("10:12:10");

    private readonly ChunkLedger _ledger = new(rememberedKeys: 3);

    [Fact]
    public void A_streamed_key_that_the_chunk_does_not_see_is_dropped()
    {
        Stream(10, 1);
        var ticket = Read(DoesNotSeeTen);
        Stream(12, 2);
        Assert.True(_ledger.TryClose(ticket));
        Assert.Equal([1L, 2L], ticket.Chunk.Dropped.Order());
        Assert.False(ticket.Chunk.DroppedAll);
    }

    [Fact]
    public void A_key_that_the_chunk_sees_is_not()
    {
        Stream(10, 1);
        var ticket = Read(SeesTen);
        Assert.True(_ledger.TryClose(ticket));
        Assert.Empty(ticket.Chunk.Dropped);
    }

    [Fact]
    public void A_streamed_truncate_drops_all()
    {
        _ledger.Begin(10);
        _ledger.Truncated(0);
        var ticket = Read(DoesNotSeeTen);
        Assert.True(_ledger.TryClose(ticket));
        Assert.True(ticket.Chunk.DroppedAll);
    }

    [Fact]
    public void Nothing_is_forgotten_while_a_chunk_is_announced_whose_snapshot_is_not_known()
    {
        Stream(10, 1);
        var ticket = _ledger.Announce(Table);
        _ledger.Forget(SeesTen);
        Assert.True(_ledger.TrySetSnapshot(ticket, DoesNotSeeTen));
        Assert.True(_ledger.TryClose(ticket));
        Assert.Equal([1L], ticket.Chunk.Dropped);
    }

    [Fact]
    public void Nothing_is_forgotten_that_an_open_chunk_does_not_see()
    {
        Stream(10, 1);
        var ticket = Read(DoesNotSeeTen);
        _ledger.Forget(SeesTen);
        Assert.True(_ledger.TryClose(ticket));
        Assert.Equal([1L], ticket.Chunk.Dropped);
    }

    [Fact]
    public void What_is_visible_everywhere_is_forgotten()
    {
        Stream(10, 1);
        _ledger.Forget(DoesNotSeeTen);
        _ledger.Forget(SeesTen);
        // A snapshot this old cannot come any more; it shows that the key is gone.
        var ticket = Read(DoesNotSeeTen);
        Assert.True(_ledger.TryClose(ticket));
        Assert.Empty(ticket.Chunk.Dropped);
    }

    [Fact]
    public void A_chunk_that_was_given_up_holds_nothing_back()
    {
        Stream(10, 1);
        _ledger.GiveUp(_ledger.Announce(Table));
        _ledger.Forget(SeesTen);
        var ticket = Read(DoesNotSeeTen);
        Assert.True(_ledger.TryClose(ticket));
        Assert.Empty(ticket.Chunk.Dropped);
    }

    [Fact]
    public void A_chunk_is_not_read_while_a_large_transaction_is_invisible_to_it()
    {
        Stream(10, 1, 2, 3, 4);
        var ticket = _ledger.Announce(Table);
        Assert.False(_ledger.TrySetSnapshot(ticket, DoesNotSeeTen));
        Assert.True(_ledger.TrySetSnapshot(ticket, SeesTen));
    }

    [Fact]
    public void A_chunk_is_read_again_when_a_large_transaction_came_before_its_marker()
    {
        var ticket = Read(SourceSnapshot.Parse("10:10:"));
        Stream(10, 1, 2, 3, 4);
        Assert.False(_ledger.TryClose(ticket));
        Assert.Null(_ledger.Find(ticket.Number));
    }

    [Fact]
    public void A_narrowed_chunk_drops_only_what_is_left_of_it()
    {
        Stream(10, 1);
        _ledger.Streamed(0, 50);
        var ticket = Read(DoesNotSeeTen);
        ticket.Narrow(Table with { Range = new KeyRange(null, 10) });
        Assert.True(_ledger.TryClose(ticket));
        Assert.Equal([1L], ticket.Chunk.Dropped);
    }

    [Fact]
    public void A_fence_keeps_what_a_chunk_keeps_and_finds_its_ranges_keys_in_flight()
    {
        Stream(10, 1, 50);
        var ticket = _ledger.Announce(new FenceRequest(17, 0, new KeyRange(null, 10), FenceStage.Announced, null));
        _ledger.Forget(SeesTen);
        Assert.True(_ledger.TrySetSnapshot(ticket, DoesNotSeeTen));
        _ledger.Forget(SeesTen);
        Stream(12, 2);
        Assert.Same(ticket, _ledger.Find(ticket.Number));
        Assert.True(_ledger.TryClose(ticket));
        Assert.Equal([1L, 2L], ticket.InFlight.Order());
        Assert.Equal((17L, false, null), (ticket.Fence, ticket.InFlightAll, ticket.Failure));
    }

    [Fact]
    public void A_truncate_in_flight_leaves_a_fence_nothing_to_compare()
    {
        var ticket = _ledger.Announce(new FenceRequest(17, 0, KeyRange.All, FenceStage.Announced, null));
        Assert.True(_ledger.TrySetSnapshot(ticket, DoesNotSeeTen));
        _ledger.Begin(10);
        _ledger.Truncated(0);
        Assert.True(_ledger.TryClose(ticket));
        Assert.True(ticket.InFlightAll);
    }

    [Fact]
    public void A_fence_is_given_up_when_a_large_transaction_came_before_its_marker()
    {
        var ticket = _ledger.Announce(new FenceRequest(17, 0, KeyRange.All, FenceStage.Announced, null));
        Assert.True(_ledger.TrySetSnapshot(ticket, SourceSnapshot.Parse("10:10:")));
        Stream(10, 1, 2, 3, 4);
        Assert.False(_ledger.TryClose(ticket));
    }

    private ChunkTicket Read(SourceSnapshot snapshot)
    {
        var ticket = _ledger.Announce(Table);
        Assert.True(_ledger.TrySetSnapshot(ticket, snapshot));
        return ticket;
    }

    private void Stream(ulong xid, params long[] keys)
    {
        _ledger.Begin(xid);
        foreach (var key in keys)
            _ledger.Streamed(0, key);
    }
}
