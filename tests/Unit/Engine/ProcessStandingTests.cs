using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Core.Telemetry;
using Cdc.Engine.Processes;
using Xunit;

namespace Cdc.Tests.Unit.Engine;

public sealed class ProcessStandingTests
{
    private static readonly DateTimeOffset Since = new(2026, 1, 31, 12, 0, 5, TimeSpan.Zero);

    [Theory]
    [InlineData("The engine's role said: 'no'", "ALTER ROLE x SET a = 'b';")]
    [InlineData("ends with 'quotes'", "cdc slot show")]
    [InlineData("C:\\path and é ★", "r")]
    public void What_a_process_says_is_read_as_it_was_said(string reason, string remedy)
    {
        var said = new ProcessStanding("run", "stopped", Since, "DeclaredGap", "slot-missing", reason, remedy);
        Assert.Equal(said, ProcessStanding.Parse(said.ToStatement()));
    }

    [Fact]
    public void One_that_works_has_nothing_more_to_say()
    {
        var works = new ProcessStanding("apply", "working", Since);
        Assert.Equal(works, ProcessStanding.Parse(works.ToStatement()));
    }

    [Fact]
    public void Lines_become_one_and_what_is_long_is_cut_off_before_the_server_does()
    {
        var said = new ProcessStanding(
            "run",
            "waiting",
            Since,
            "Unavailable",
            null,
            "one\n  two\n" + new string('x', 5000),
            new string('y', 5000)
        );
        var statement = said.ToStatement();
        Assert.True(System.Text.Encoding.UTF8.GetByteCount(statement) < 1024);
        var read = ProcessStanding.Parse(statement)!;
        Assert.StartsWith("one two xxx", read.Reason, StringComparison.Ordinal);
        Assert.EndsWith("x…", read.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60)]
    [InlineData(75)]
    [InlineData(90)]
    public void Cut_off_by_the_server_its_state_is_still_read(int bytes)
    {
        var said = new ProcessStanding("run", "stopped", Since, "Preflight", null, "a reason that is long", "a remedy that is long");
        var read = ProcessStanding.Parse(said.ToStatement()[..bytes])!;
        Assert.Equal(("stopped", Since), (read.State, read.Since));
    }

    [Fact]
    public void Half_a_word_is_none()
    {
        var statement = new ProcessStanding("run", "stopped", Since, "DeclaredGap", "slot-missing", "why").ToStatement();
        for (
            var bytes =
                statement.IndexOf(Since.Year.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal) + 20;
            bytes < statement.Length;
            bytes++
        )
        {
            var read = ProcessStanding.Parse(statement[..bytes])!;
            Assert.True(read.Kind is null or "DeclaredGap", read.Kind);
            Assert.True(read.Gap is null or "slot-missing", read.Gap);
        }
    }

    [Fact]
    public void Of_what_a_check_found_the_first_error_is_said()
    {
        var statistics = new PipelineStatistics();
        using var worker = statistics.AddWorker();
        worker.Stops(
            new FindingsException(
                FailureKind.Preflight,
                "Source or engine are not ready:",
                [
                    new Finding("wal-keep-size", IsError: false, new string('w', 2000), "warned"),
                    new Finding("role-select", IsError: true, "may not read", "GRANT SELECT"),
                    new Finding("role-usage", IsError: true, "may not use", "GRANT USAGE"),
                ]
            )
        );
        var read = ProcessStanding.Parse(ProcessStanding.Of("run", statistics.Worst, Since).ToStatement())!;
        Assert.Equal(("stopped", "Preflight", "may not read", "GRANT SELECT"), (read.State, read.Kind, read.Reason, read.Remedy));
    }

    [Fact]
    public void One_that_waits_for_another_says_so_until_it_works()
    {
        var statistics = new PipelineStatistics();
        using var worker = statistics.AddWorker();
        worker.StandsBy();
        Assert.Equal("standby", ProcessStanding.Of("run", statistics.Worst, Since).State);
        Assert.Equal("working", PipelineStatus.Of(statistics.Worst).State);
        worker.Works();
        Assert.Equal("working", ProcessStanding.Of("run", statistics.Worst, Since).State);
    }

    [Fact]
    public void Of_one_that_may_not_be_seen_no_command_is_named() =>
        Assert.Null(RunningProcesses.Of([new ProcessStanding("", "unknown", null)])!.Process);

    [Theory]
    [InlineData(null)]
    [InlineData("<insufficient privilege>")]
    [InlineData("SELECT 'cdc process ")]
    [InlineData("SELECT 1")]
    public void What_is_none_of_ours_is_none(string? statement) => Assert.Null(ProcessStanding.Parse(statement));

    [Theory]
    [InlineData("", null)]
    [InlineData("run working", "working")]
    [InlineData("run stopped,run standby", "stopped")]
    [InlineData("run standby,run working", "working")]
    [InlineData("run standby", "standby")]
    // The other is one that may go on as soon as this one ends.
    [InlineData("run stopped,run working", "working")]
    [InlineData("run stopped,run waiting", "waiting")]
    [InlineData("capture working,apply stopped", "stopped")]
    [InlineData("capture working,apply working,apply waiting", "waiting")]
    [InlineData("run unknown", "unknown")]
    public void Of_several_processes_the_one_counts_on_which_the_work_rests(string processes, string? state) =>
        Assert.Equal(
            state,
            RunningProcesses
                .Of(
                    processes
                        .Split(',', StringSplitOptions.RemoveEmptyEntries)
                        .Select(p => new ProcessStanding(p.Split(' ')[0], p.Split(' ')[1], Since))
                )
                ?.State
        );
}
