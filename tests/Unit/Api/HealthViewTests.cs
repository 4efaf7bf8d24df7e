using Cdc.Api.Operations;
using Cdc.Core.Operations;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class HealthViewTests
{
    private static readonly PipelineStatus Works = new("working", null, null, null, null);

    [Theory]
    [InlineData("gap", "slot-missing", null)]
    // Known to the process alone: the engine follows nothing in which it could be written.
    [InlineData("new", null, "slot-foreign")]
    public void In_a_gap_neither_pipeline_nor_state_is_called_healthy(string state, string? engineGap, string? ownGap)
    {
        var stopped = new PipelineStatus("stopped", "DeclaredGap", engineGap ?? ownGap, "m", "r");
        var report = Report(state, engineGap).With(stopped);
        Assert.Equal("gap", report.State);
        var health = HealthView.Of(report, TimeSpan.FromMinutes(1), null);
        Assert.Equal("degraded", health.Status);
        foreach (var check in (string[])["gap", "state", "pipeline"])
        {
            var found = health.Checks.Single(c => c.Name == check);
            Assert.Equal("degraded", found.Status);
            Assert.Contains((engineGap ?? ownGap)!, found.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void In_a_gap_that_is_only_recorded_state_is_not_healthy_either()
    {
        var health = HealthView.Of(Report("gap", "slot-lost"), TimeSpan.FromMinutes(1), null);
        Assert.Equal(
            ["gap", "state"],
            health.Checks.Where(c => c.Detail?.Contains("slot-lost", StringComparison.Ordinal) is true).Select(c => c.Name)
        );
    }

    [Fact]
    public void Half_a_word_of_another_process_is_no_gap()
    {
        var report = Report("streaming", null).With(new PipelineStatus("stopped", "Preflight", "", "m", "r"));
        Assert.Equal(("streaming", true), (report.State, string.IsNullOrEmpty(report.Gap)));
    }

    [Fact]
    public void A_pipeline_that_works_is_healthy()
    {
        var health = HealthView.Of(Report("streaming", null).With(Works), TimeSpan.FromMinutes(1), null);
        Assert.Equal("healthy", health.Status);
    }

    private static StatusReport Report(string state, string? gap)
    {
        var up = new ServerStatus("server", Readable: true, null, null);
        return new StatusReport
        {
            At = DateTimeOffset.UnixEpoch,
            State = state,
            Running = true,
            BytesBehind = 0,
            SecondsBehind = 0,
            EngineServer = up,
            SourceServer = up,
            Source = null,
            Engine = new EngineStatus
            {
                State = state,
                Generation = 1,
                Session = 1,
                SystemIdentifier = null,
                GapKind = gap,
                GapDetail = gap,
                WrittenLsn = null,
                ThroughLsn = null,
                LastCommitAt = null,
                AsOf = null,
                CheckpointAgeSeconds = null,
            },
        };
    }
}
