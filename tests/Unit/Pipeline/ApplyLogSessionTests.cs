using Cdc.Core.Telemetry;
using Cdc.Pipeline;
using Cdc.Pipeline.Sessions;
using Cdc.Tests.Support.Capture;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Unit.Pipeline;

public sealed class ApplyLogSessionTests
{
    [Fact]
    public void What_another_worker_of_the_process_applies_is_no_progress_of_this_one()
    {
        var statistics = new PipelineStatistics();
        var session = new ApplyLogSession(
            new PipelineOptions(),
            Declared.Entities("card: id integer"),
            null!,
            statistics,
            NullLogger.Instance
        );
        statistics.Applied(new AppliedBatch(1, 1, TimeSpan.Zero, null));
        Assert.False(session.HasProgressed);
    }
}
