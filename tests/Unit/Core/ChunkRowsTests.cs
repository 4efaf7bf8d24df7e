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

    private static Chunk Chunk() =>
        new(new ChunkJob(1, 1, 0, ChunkKind.Load, KeyRange.All, null)) { First = SampleChanges.At(100, int.MinValue) };
}
