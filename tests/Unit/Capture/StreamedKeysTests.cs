using Cdc.Capture.Snapshot;
using Cdc.Capture.Source;
using Cdc.Core.Snapshots;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class StreamedKeysTests
{
    private static readonly ChunkJob Table = new(1, 1, 0, ChunkKind.Load, KeyRange.All, null);
    private static readonly SourceSnapshot SeesNothing = SourceSnapshot.Parse("5:5:");

    private readonly StreamedKeys _keys = new(keysOfOneTransaction: 3, keysOfAll: 6);

    [Fact]
    public void Keys_of_transactions_that_a_snapshot_does_not_see_are_in_flight()
    {
        Stream(10, 1);
        Stream(11, 2);
        Stream(12, 3);
        Assert.Equal([2L], InFlight(SourceSnapshot.Parse("11:13:11")));
        Assert.Equal([3L], InFlight(SourceSnapshot.Parse("12:12:")));
    }

    [Fact]
    public void Only_keys_of_the_jobs_entity_and_range_are()
    {
        _keys.Begin(10);
        _keys.Add(0, 5);
        _keys.Add(1, 5);
        _keys.Add(0, 50);
        Assert.Equal([50L], InFlight(SeesNothing, Table with { Range = new KeyRange(10, null) }).Keys);
        Assert.Equal(
            [5L],
            InFlight(
                SeesNothing,
                Table with
                {
                    Keys = new HashSet<long> { 5, 6 },
                }
            ).Keys
        );
    }

    /// <summary>Of keys that are known by a hash.</summary>
    [Fact]
    public void A_key_in_flight_that_only_has_a_rows_number_is_found()
    {
        _keys.Begin(10);
        _keys.Add(0, 5, check: 1);
        _keys.Add(1, 6, check: 2);
        Assert.Null(Mistaken(SeesNothing, (5, 1), (6, 9)));
        Assert.Equal(5, Mistaken(SeesNothing, (7, 1), (5, 2)));
        Assert.Null(Mistaken(SourceSnapshot.Parse("11:11:"), (5, 2)));

        long? Mistaken(SourceSnapshot snapshot, params (long Key, int Check)[] rows) =>
            _keys.Mistaken(snapshot, 0, rows.ToDictionary(r => r.Key, r => r.Check));
    }

    [Fact]
    public void A_truncate_is_all_keys()
    {
        _keys.Begin(10);
        _keys.AddAll(0);
        Assert.True(InFlight(SeesNothing, Table).All);
        Assert.False(InFlight(SeesNothing, Table with { Entity = 1 }).All);
        Assert.False(InFlight(SourceSnapshot.Parse("11:11:"), Table).All);
    }

    [Fact]
    public void A_large_transaction_is_known_by_its_tables_alone()
    {
        Stream(10, 1, 2, 3, 4, 5);
        Assert.True(_keys.IsTooLarge(SeesNothing, 0));
        Assert.False(_keys.IsTooLarge(SeesNothing, 1));
        Assert.False(_keys.IsTooLarge(SourceSnapshot.Parse("11:11:"), 0));
        Assert.Equal(0, _keys.Count);
    }

    [Fact]
    public void A_table_that_a_large_transaction_touches_late_is_known_too()
    {
        Stream(10, 1, 2, 3, 4);
        _keys.Add(1, 1);
        Assert.True(_keys.IsTooLarge(SeesNothing, 1));
    }

    [Fact]
    public void Many_small_transactions_stay_within_the_bound_of_all()
    {
        for (var xid = 10UL; xid < 20; xid++)
            Stream(xid, (long)xid);
        Assert.Equal(6, _keys.Count);
        Assert.True(_keys.IsTooLarge(SeesNothing, 0));
        _keys.Forget(xid => xid < 20);
        Assert.Equal(0, _keys.Count);
        Assert.False(_keys.IsTooLarge(SeesNothing, 0));
    }

    [Fact]
    public void What_is_forgotten_while_a_transaction_is_streamed_does_not_confuse_its_own_bound()
    {
        Stream(10, 1, 2);
        Stream(11, 3, 4);
        _keys.Forget(xid => xid == 10);
        Assert.Equal([3L, 4L], InFlight(SeesNothing));
        _keys.Add(0, 5);
        Assert.False(_keys.IsTooLarge(SeesNothing, 0));
        _keys.Add(0, 6);
        Assert.True(_keys.IsTooLarge(SeesNothing, 0));
    }

    private void Stream(ulong xid, params long[] keys)
    {
        _keys.Begin(xid);
        foreach (var key in keys)
            _keys.Add(0, key);
    }

    private IEnumerable<long> InFlight(SourceSnapshot snapshot) => InFlight(snapshot, Table).Keys.Order();

    private (HashSet<long> Keys, bool All) InFlight(SourceSnapshot snapshot, ChunkJob job) =>
        _keys.InFlight(snapshot, job.Entity, job.Covers);
}
