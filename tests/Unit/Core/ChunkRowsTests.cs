using Cdc.Core.Changes;
using Cdc.Core.Snapshots;
using Xunit;

namespace Cdc.Tests.Unit.Core;

public sealed class ChunkRowsTests
{
    private static readonly ChunkRows Read = new(
        SampleChanges.Schema(),
        [(1, SampleChanges.Image("1")), (2, SampleChanges.Image("2")), (3, SampleChanges.Image("3"))],
        42
    );

    [Fact]
    public void Rows_lie_before_a_transaction_that_commits_at_the_markers_own_LSN_and_before_the_chunks_end()
    {
        var rows = Read.ChangesIn(Chunk()).ToList();
        Assert.Equal([1L, 2L, 3L], rows.Select(r => r.Key));
        Assert.All(rows, r => Assert.True(r.Position < SampleChanges.At(100, -1)));
        Assert.All(rows, r => Assert.True(r.Position > SampleChanges.At(99, long.MaxValue)));
        Assert.Equal(3, rows.Select(r => r.Position).Distinct().Count());
        Assert.All(rows, r => Assert.Equal((RowChangeKind.Read, 42), (r.Kind, r.CommitMicros)));
    }

    [Fact]
    public void Keys_in_flight_are_left_out()
    {
        var chunk = Chunk();
        chunk.Dropped = new HashSet<long> { 2, 9 };
        Assert.Equal([1L, 3L], Read.ChangesIn(chunk).Select(r => r.Key));
    }

    [Fact]
    public void A_truncate_in_flight_leaves_nothing()
    {
        var chunk = Chunk();
        chunk.DroppedAll = true;
        Assert.Empty(Read.ChangesIn(chunk));
    }

    [Fact]
    public void An_owed_key_ends_behind_the_rows_unless_it_is_there_or_in_flight()
    {
        var chunk = Owed(1, 3, 4, 5, 6);
        chunk.Dropped = new HashSet<long> { 3, 5 };
        var rows = Read.ChangesIn(chunk).ToList();
        Assert.Equal(
            [
                (RowChangeKind.Read, 1L, false),
                (RowChangeKind.Read, 2, false),
                (RowChangeKind.Delete, 4, true),
                (RowChangeKind.Delete, 6, true),
            ],
            rows.Select(r => (r.Kind, r.Key, r.IsOwedEnd))
        );
        Assert.Equal(rows.Select(r => r.Position), rows.Select(r => r.Position).Distinct().Order());
        Assert.All(rows, r => Assert.True(r.Position < SampleChanges.At(100, -1)));
        Assert.All(rows, r => Assert.Equal(42, r.CommitMicros));
    }

    [Fact]
    public void No_owed_key_ends_while_a_truncate_is_in_flight()
    {
        var chunk = Owed(4);
        chunk.DroppedAll = true;
        Assert.Empty(Read.ChangesIn(chunk));
    }

    [Fact]
    public void Keys_that_are_read_again_for_another_reason_do_not_end() =>
        Assert.All(
            Read.ChangesIn(Chunk(new ChunkJob(0, 1, 0, ChunkKind.Reread, KeyRange.All, new HashSet<long> { 4 }))),
            r => Assert.Equal(RowChangeKind.Read, r.Kind)
        );

    private static Chunk Owed(params long[] keys) => Chunk(new ChunkJob(0, 1, 0, ChunkKind.Owed, KeyRange.All, keys.ToHashSet()));

    private static Chunk Chunk() => Chunk(new ChunkJob(1, 1, 0, ChunkKind.Load, KeyRange.All, null));

    private static Chunk Chunk(ChunkJob job) => new(job) { First = SampleChanges.At(100, int.MinValue) };
}
