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
        capture.State = RetryState.Waiting;
        apply.State = RetryState.Working;
        Assert.Equal(RetryState.Waiting, statistics.Retry);
        capture.State = RetryState.Retrying;
        Assert.Equal(RetryState.Retrying, statistics.Retry);
    }

    [Fact]
    public void A_worker_that_has_ended_is_not_shown()
    {
        var statistics = new PipelineStatistics();
        using (var worker = statistics.AddWorker())
            worker.State = RetryState.Waiting;
        Assert.Equal(RetryState.Working, statistics.Retry);
    }
}
