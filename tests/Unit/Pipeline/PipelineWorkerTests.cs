using Cdc.Capture;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Unit.Pipeline;

public sealed class PipelineWorkerTests
{
    [Theory]
    [InlineData(GapKinds.SlotForeign, false)]
    [InlineData(GapKinds.SlotMissing, true)]
    public async Task A_setting_accepts_every_gap_but_a_slot_that_may_be_another_engines(string kind, bool isAccepted)
    {
        using var stop = new CancellationTokenSource();
        var run = Worker(kind, stop, new PipelineStatistics(), waitsForPeople: false).RunAsync(stop.Token);
        if (isAccepted)
            await run;
        else
            Assert.Equal(kind, (await Assert.ThrowsAsync<DeclaredGapException>(() => run)).GapKind);
        Assert.Equal(isAccepted, stop.IsCancellationRequested);
    }

    [Fact]
    public async Task Beside_an_api_a_foreign_slot_stands_still_as_a_gap_with_its_kind()
    {
        using var stop = new CancellationTokenSource();
        var statistics = new PipelineStatistics();
        // What a session throws at once is handled before the first pause.
        var run = Worker(GapKinds.SlotForeign, stop, statistics, waitsForPeople: true).RunAsync(stop.Token);
        Assert.Equal(RetryState.Stopped, statistics.Retry);
        Assert.Equal(GapKinds.SlotForeign, Assert.IsType<DeclaredGapException>(statistics.Failure).GapKind);
        Assert.False(stop.IsCancellationRequested);
        await stop.CancelAsync();
        await run;
    }

    private static PipelineWorker Worker(string gap, CancellationTokenSource stop, PipelineStatistics statistics, bool waitsForPeople) =>
        new(
            new PipelineOptions
            {
                Source = new SourceOptions { AcceptGaps = true },
                WaitsForPeople = waitsForPeople,
            },
            new BrokenSession(new DeclaredGapException(gap, "m", "r"), stop),
            statistics,
            NullLogger.Instance
        );

    /// <summary>One that follows nothing yet, and ends its worker when a gap is accepted.</summary>
    private sealed class BrokenSession(CdcException failure, CancellationTokenSource stop) : IPipelineSession
    {
        public bool HasProgressed => false;
        public int? Generation => null;

        public Task RunAsync(Action started, CancellationToken ct) => throw failure;

        public Task AcceptGapAsync(CancellationToken ct) => stop.CancelAsync();
    }
}
