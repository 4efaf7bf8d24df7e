using Cdc.Apply.Partitions;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Xunit;

namespace Cdc.Tests.Unit.Apply.Partitions;

public sealed class PartitionCheckpointTests
{
    private readonly PartitionCheckpoint _checkpoint = new(new LogPartition(0, "t", 0), 10, 0, Position(5), [(1, 3)]);

    [Fact]
    public void Records_of_a_session_are_taken_in_their_sequence()
    {
        Assert.True(Take(10, 1, 3, 6));
        Assert.True(Take(11, 1, 4, 7));
        Assert.Equal((12, 10), (_checkpoint.Next, _checkpoint.Committed));
        Assert.Equal([1L, 5L], _checkpoint.Sequences);
        _checkpoint.SetCommitted();
        Assert.Equal(12, _checkpoint.Committed);
    }

    [Fact]
    public void A_sequence_gap_is_declared_and_never_skipped_over()
    {
        var gap = Assert.Throws<DeclaredGapException>(() => Take(10, 1, 4, 6));
        Assert.Equal(GapKinds.LogGap, gap.GapKind);
        Assert.Contains("t/0", gap.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_session_begins_with_its_first_record()
    {
        Assert.Throws<DeclaredGapException>(() => Take(10, 2, 1, 6));
        Assert.True(Take(10, 2, 0, 6));
        Assert.Equal(2, _checkpoint.NewestSession);
    }

    [Fact]
    public void Late_records_of_an_old_session_and_replayed_ones_are_passed_without_effect()
    {
        Assert.True(Take(10, 2, 0, 8));
        Assert.False(Take(11, 1, 3, 7));
        Assert.False(Take(12, 1, 0, 1));
        Assert.True(Take(13, 2, 1, 9));
        Assert.Equal([1L, 4L, 2L, 2L], _checkpoint.Sequences);
        Assert.Equal(14, _checkpoint.Next);
    }

    private bool Take(long offset, long session, long sequence, ulong lsn) =>
        _checkpoint.Take(offset, new RecordStamp(session, sequence), Position(lsn), 0, 1);

    private static ChangePosition Position(ulong lsn) => new(1, new Lsn(lsn), 0);
}
