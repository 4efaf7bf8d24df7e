using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Xunit;

namespace Cdc.Tests.Unit.Core.Telemetry;

public sealed class PipelineStatisticsTests
{
    [Fact]
    public void Of_several_workers_the_worst_is_shown()
    {
        var statistics = new PipelineStatistics();
        Assert.Equal(RetryState.Working, statistics.Retry);
        using var capture = statistics.AddWorker();
        using var apply = statistics.AddWorker();
        var (down, refused) = (Failure(FailureKind.Unavailable), Failure(FailureKind.Preflight));
        capture.Waits(down);
        apply.Works();
        Assert.Equal((RetryState.Waiting, down), (statistics.Retry, statistics.Failure));
        capture.TriesAgain();
        Assert.Equal((RetryState.Retrying, down), (statistics.Retry, statistics.Failure));
        apply.Stops(refused);
        Assert.Equal((RetryState.Stopped, refused), (statistics.Retry, statistics.Failure));
        apply.TriesAgain();
        Assert.Equal(RetryState.Stopped, statistics.Retry);
        capture.Works();
        apply.Works();
        Assert.Equal((RetryState.Working, null), (statistics.Retry, statistics.Failure));
    }

    [Fact]
    public void A_worker_that_has_ended_is_not_shown()
    {
        var statistics = new PipelineStatistics();
        using (var worker = statistics.AddWorker())
            worker.Waits(Failure(FailureKind.Unavailable));
        Assert.Equal(RetryState.Working, statistics.Retry);
    }

    private static CdcException Failure(FailureKind kind) => new(kind, "m", "r");
}
