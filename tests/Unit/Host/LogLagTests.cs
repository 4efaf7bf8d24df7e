using Cdc.Core.Operations;
using Cdc.Host.Status;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class LogLagTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void A_partition_in_which_records_wait_is_as_old_as_what_it_applied_last()
    {
        var status = Of([Applied(0, next: 10, secondsAgo: 30), Applied(1, next: 7, secondsAgo: 90)], ends: [14, 9], logThrough: "0/100");
        Assert.Equal([(4L, 30.0), (2L, 90.0)], status.Partitions.Select(p => (p.MessagesBehind!.Value, p.SecondsBehind!.Value)));
        Assert.Equal((6L, 90.0), (status.MessagesBehind, status.SecondsBehind));
        // It rested for hours before the record came.
        Assert.Equal(
            3,
            Of([Applied(0, next: 5, secondsAgo: 9_000, heartbeatSecondsAgo: 3)], ends: [6], logThrough: "0/100").Partitions[0].SecondsBehind
        );
    }

    [Fact]
    public void A_partition_that_is_read_to_its_end_is_as_far_behind_as_the_log_itself()
    {
        // Hours without a change in it, and a log that has all of the source.
        Assert.Equal(0, Of([Applied(0, next: 5, secondsAgo: 9_000)], ends: [5], logThrough: "0/100").Partitions[0].SecondsBehind);
        // No capture brings the source's changes into the log.
        Assert.Equal(
            60,
            Of([Applied(0, next: 5, secondsAgo: 9_000)], ends: [5], logThrough: "0/50", newestSecondsAgo: 60).Partitions[0].SecondsBehind
        );
        // The source rests, and others write to its server. Another partition may be older than the log.
        Assert.Equal(
            2,
            Of([Applied(0, next: 5, secondsAgo: 9_000)], ends: [5], logThrough: "0/50", newestSecondsAgo: 60, heartbeatSecondsAgo: 2)
                .Partitions[0]
                .SecondsBehind
        );
    }

    [Fact]
    public void Without_the_source_or_a_checkpoint_nothing_is_claimed()
    {
        Assert.Equal(
            (0, null),
            Numbers(Of([Applied(0, next: 5, secondsAgo: 9)], ends: [5], logThrough: "0/100", hasSource: false).Partitions[0])
        );
        var begun = Of([], ends: [5], logThrough: "0/100");
        Assert.Equal((null, null), Numbers(begun.Partitions[0]));
        Assert.Equal((null, null), (begun.MessagesBehind, begun.SecondsBehind));
    }

    [Fact]
    public void A_partition_that_ends_before_what_was_applied_of_it_is_not_called_up_to_date()
    {
        // Its topic was made anew.
        var status = Of([Applied(0, next: 9, secondsAgo: 1), Applied(1, next: 7, secondsAgo: 1)], ends: [5, 8], logThrough: "0/100");
        Assert.Equal((null, null), Numbers(status.Partitions[0]));
        Assert.Equal((null, null), (status.MessagesBehind, status.SecondsBehind));
        Assert.Equal([true, false], status.Partitions.Select(Lag.HasLost));
    }

    private static (long?, double?) Numbers(PartitionStatus partition) => (partition.MessagesBehind, partition.SecondsBehind);

    private static LogStatus Of(
        AppliedPartition[] applied,
        long[] ends,
        string logThrough,
        double newestSecondsAgo = 30,
        double? heartbeatSecondsAgo = null,
        bool hasSource = true
    ) =>
        Lag.Of(
            new EngineStatus
            {
                State = "streaming",
                Generation = 1,
                Session = 1,
                SystemIdentifier = "1",
                GapKind = null,
                GapDetail = null,
                WrittenLsn = null,
                ThroughLsn = "0/10",
                LastCommitAt = Now.AddHours(-1),
                AsOf = Now.AddHours(-2),
                CheckpointAgeSeconds = 3_000,
                Log = new AppliedLog(
                    logThrough,
                    heartbeatSecondsAgo is { } ago ? Now.AddSeconds(-ago) : null,
                    Now.AddSeconds(-newestSecondsAgo),
                    applied
                ),
            },
            hasSource
                ? new SourceStatus
                {
                    SystemIdentifier = "1",
                    Timeline = 1,
                    Database = "odoo",
                    InsertLsn = "0/100",
                    FlushLsn = "0/100",
                    Now = Now,
                    OldestTransactionSeconds = null,
                    Slot = new SlotStatus("s", null, null, true, null, null, null, null, null, null),
                }
                : null,
            new Dictionary<string, IReadOnlyList<long>> { ["t"] = ends },
            Now
        );

    private static AppliedPartition Applied(int number, long next, double secondsAgo, double? heartbeatSecondsAgo = null) =>
        new($"t/{number}", next, Now.AddSeconds(-secondsAgo), heartbeatSecondsAgo is { } ago ? Now.AddSeconds(-ago) : null);
}
