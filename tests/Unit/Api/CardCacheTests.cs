using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Core.Changes;
using Cdc.Core.Progress;
using Cdc.Engine.Tables;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class CardCacheTests
{
    private readonly CardCache _cache = new(1 << 20);

    public CardCacheTests() => _cache.Verify(Moment(1));

    [Fact]
    public void What_was_read_is_kept_and_true_as_of_the_last_beat()
    {
        Learn(_cache.Mark(), Card(1, "A", 5));
        _cache.Verify(Moment(90));
        Assert.Equal((5UL, 90UL), (PositionOf("A"), _cache.Find("A")!.Value.Moment.Through.Lsn.Value));
        Assert.Null(_cache.Find("B"));
    }

    [Fact]
    public void A_read_that_began_before_an_announcement_is_not_kept()
    {
        var mark = _cache.Mark();
        _cache.Changed([(1, null)]);
        Learn(mark, Card(1, "A", 5));
        Assert.Null(_cache.Find("A"));
        mark = _cache.Mark();
        _cache.Changed([(2, ChangeNotice.Hash("A"u8))]);
        Learn(mark, Card(1, "A", 5));
        Assert.Null(_cache.Find("A"));
        mark = _cache.Mark();
        _cache.Changed(null);
        Learn(mark, Card(1, "A", 5));
        Assert.Null(_cache.Find("A"));
    }

    [Fact]
    public void An_announcement_ends_what_is_kept_of_the_card_and_of_the_code()
    {
        Learn(_cache.Mark(), Card(1, "A", 5));
        Learn(_cache.Mark(), Card(2, "B", 5));
        _cache.Changed([(1, null), (7, ChangeNotice.Hash("B"u8))]);
        Assert.Null(_cache.Find("A"));
        Assert.Null(_cache.Find("B"));
    }

    [Fact]
    public void A_slow_read_does_not_bring_back_what_a_quicker_one_has_passed()
    {
        var slow = _cache.Mark();
        // The quicker one could not be kept itself: an older announcement came between.
        var quick = _cache.Mark();
        _cache.Changed([(1, null)]);
        var slower = _cache.Mark();
        Learn(quick, Card(1, "A", 9));
        Learn(slower, Card(1, "A", 5));
        Learn(slow, Card(1, "A", 5));
        Assert.Null(_cache.Find("A"));
    }

    [Fact]
    public void A_newer_reading_replaces_an_older_one_and_never_the_other_way_round()
    {
        var (first, second) = (_cache.Mark(), _cache.Mark());
        Learn(second, Card(1, "A", 9));
        Learn(first, Card(1, "A", 5));
        Assert.True(PositionOf("A") is null or 9);
        Learn(_cache.Mark(), Card(1, "A", 9));
        _cache.Learn(_cache.Mark(), null, Answer(Card(1, "A", 12)));
        Assert.Null(_cache.Find("A"));
    }

    [Fact]
    public void What_a_reading_refutes_goes()
    {
        Learn(_cache.Mark(), Card(1, "A", 5));
        _cache.Learn(_cache.Mark(), "A", Answer(Card(1, "A", 5) with { Status = CardStatus.Quarantined }));
        Assert.Null(_cache.Find("A"));
        Learn(_cache.Mark(), Card(1, "A", 5));
        _cache.Learn(_cache.Mark(), "A", Answer(Card(1, "A", 5), Card(2, "A", 6)));
        Assert.Null(_cache.Find("A"));
        Learn(_cache.Mark(), Card(1, "A", 5));
        _cache.Learn(_cache.Mark(), "A", Answer());
        Assert.Null(_cache.Find("A"));
    }

    [Fact]
    public void Without_a_listener_and_in_another_generation_nothing_is_kept()
    {
        Learn(_cache.Mark(), Card(1, "A", 5));
        _cache.Verify(null);
        Assert.Null(_cache.Find("A"));
        Learn(_cache.Mark(), Card(1, "A", 5));
        _cache.Verify(Moment(1));
        Assert.Null(_cache.Find("A"));
        Learn(_cache.Mark(), Card(1, "A", 5));
        _cache.Verify(Moment(1, generation: 2));
        Assert.Null(_cache.Find("A"));
    }

    [Fact]
    public void Memory_is_bounded_and_a_read_under_way_does_not_bring_back_what_was_dropped()
    {
        var cache = new CardCache(100_000);
        cache.Verify(Moment(1));
        var mark = cache.Mark();
        for (var i = 1; i <= 10_000; i++)
        {
            cache.Learn(cache.Mark(), $"CARD {i}", Answer(Card(i, $"CARD {i}", 9)));
            Assert.True(cache.Bytes <= 101_000, $"{cache.Bytes}");
        }
        Assert.NotNull(cache.Find("CARD 10000"));
        Assert.Null(cache.Find("CARD 1"));
        cache.Learn(mark, "CARD 1", Answer(Card(1, "CARD 1", 5)));
        Assert.Null(cache.Find("CARD 1"));
    }

    private ulong? PositionOf(string code) => _cache.Find(code)?.Card.Position!.Value.CommitLsn.Value;

    private void Learn(long mark, CardRow card) => _cache.Learn(mark, card.Code, Answer(card));

    private static CardAnswer Answer(params CardRow[] cards) => new(Moment(1), cards, null);

    private static EngineMoment Moment(ulong through, int generation = 1) =>
        new(SourceState.Streaming, new AppliedThrough(generation, new Lsn(through)), "1", null, TableState.Streaming);

    private static CardRow Card(long id, string code, ulong lsn) =>
        new(
            id,
            (int)id,
            1,
            null,
            null,
            code,
            "1.00",
            null,
            null,
            0,
            new ChangePosition(1, new Lsn(lsn), 0),
            null,
            CardStatus.Current,
            null,
            new AppliedThrough(1, new Lsn(lsn))
        );
}
