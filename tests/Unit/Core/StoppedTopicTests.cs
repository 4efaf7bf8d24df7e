using Cdc.Core.Operations;
using Xunit;

namespace Cdc.Tests.Unit.Core;

public sealed class StoppedTopicTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_topic_is_stopped_when_all_of_its_tables_are_and_for_as_long_as_the_first_of_them()
    {
        Assert.Null(StoppedTopic.Of([]));
        Assert.Null(StoppedTopic.Of([Table(60), Table(null)]));
        Assert.Equal(new StoppedTopic(Noon.AddSeconds(-90), 90), StoppedTopic.Of([Table(60), Table(90)]));
    }

    [Fact]
    public void A_partition_of_it_says_since_when_instead_of_how_far_behind_it_is()
    {
        var partition = new PartitionStatus("t", 0, 10, 10, 0, 0.2);
        Assert.Equal(0.2, partition.With(null).SecondsBehind);
        var stopped = partition.With(new StoppedTopic(Noon, 5));
        Assert.Equal((null, Noon, 5.0), (stopped.SecondsBehind, stopped.StoppedAt, stopped.StoppedSeconds));
    }

    private static EntityStatus Table(double? stoppedSeconds) =>
        new()
        {
            Entity = "card",
            State = stoppedSeconds is null ? "streaming" : "stopped",
            Reason = null,
            StoppedAt = stoppedSeconds is { } seconds ? Noon.AddSeconds(-seconds) : null,
            StoppedSeconds = stoppedSeconds,
            Rows = null,
            Snapshot = null,
            Quarantine = 0,
            OldestQuarantine = null,
            Holes = 0,
            OldestHole = null,
            WaitingForParent = null,
        };
}
