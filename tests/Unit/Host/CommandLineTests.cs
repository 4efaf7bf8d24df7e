using Cdc.Core.Failures;
using Cdc.Host;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("chekc")]
    [InlineData("slot", "shwo")]
    [InlineData("status", "--jason")]
    [InlineData("snapshot")]
    [InlineData("snapshot", "card", "--keys", "9..1")]
    [InlineData("quarantine", "retry")]
    [InlineData("quarantine", "discard", "--yes")]
    [InlineData("migrate", "--to", "2", "--down", "1")]
    [InlineData("workload")]
    [InlineData("workload", "--connection", "Host=h", "--rate", "0")]
    [InlineData("workload", "--connection", "no connection string")]
    public async Task A_wrong_command_line_exits_with_Usage_and_says_what_to_do(params string[] args)
    {
        var run = await CommandRun.OfAsync(args);
        Assert.Equal((int)FailureKind.Usage, run.ExitCode);
        Assert.Contains("what to do next: ", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Out);
    }

    [Theory]
    [InlineData("as a whole number", "quarantine", "list", "--limit", "abc")]
    [InlineData("as a whole number", "migrate", "--to", "abc")]
    [InlineData("as a number", "workload", "--rate", "abc")]
    public async Task What_is_no_number_is_told_in_words_not_in_names_of_types(string expected, params string[] args)
    {
        var run = await CommandRun.OfAsync(args);
        Assert.Contains("'abc'", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'cdc' has no command 'bogus'.", "use one of run, capture,", "bogus")]
    [InlineData("'cdc' has no command 'bogus'.", "use one of run, capture,", "bogus", "--json")]
    [InlineData("'cdc' has no command 'statsu'.", "did you mean 'cdc status'?", "statsu")]
    [InlineData("'cdc slot' has no command 'bogus'.", "use one of show, create,", "slot", "bogus")]
    public async Task A_command_that_does_not_exist_is_named_with_those_that_do(string what, string remedy, params string[] args)
    {
        var lines = (await CommandRun.OfAsync(args)).Error.TrimEnd().Split(Environment.NewLine);
        Assert.Equal("error: " + what, lines[0]);
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("what to do next: " + remedy, lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_command_has_help_and_those_that_act_have_examples()
    {
        foreach (
            var command in new[]
            {
                "run",
                "migrate",
                "check",
                "status",
                "snapshot",
                "workload",
                "quarantine list",
                "quarantine show",
                "quarantine retry",
                "quarantine discard",
                "slot show",
                "slot create",
                "slot drop",
                "slot reset",
                "slot adopt",
            }
        )
        {
            var run = await CommandRun.OfAsync([.. command.Split(' '), "--help"]);
            Assert.Equal(0, run.ExitCode);
            Assert.Contains("Example", run.Out, StringComparison.Ordinal);
            Assert.Contains("cdc " + command, run.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Version_goes_to_stdout()
    {
        var run = await CommandRun.OfAsync("version");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.StartsWith("cdc ", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Exit_codes_are_the_kinds_of_failure()
    {
        foreach (var kind in Enum.GetValues<FailureKind>())
            Assert.Equal((int)kind, ExitCodes.Of(new CdcException(kind, "m", "r")));
        Assert.Equal((int)FailureKind.Unexpected, ExitCodes.Of(new InvalidOperationException()));
        Assert.Equal((int)FailureKind.DeclaredGap, ExitCodes.Of(new DeclaredGapException("slot-missing", "m", "r")));
    }

    [Fact]
    public async Task A_known_failure_is_told_without_a_stack_a_defect_with_it()
    {
        var known = await CommandRun.OfAsync(
            CommandRun.NoParts with
            {
                Workload = (_, _, _) => throw new CdcException(FailureKind.Migration, "what", "remedy"),
            },
            null,
            TestContext.Current.CancellationToken,
            "workload",
            "--connection",
            "Host=h"
        );
        Assert.Equal((int)FailureKind.Migration, known.ExitCode);
        Assert.Equal($"error: what{Environment.NewLine}what to do next: remedy{Environment.NewLine}", known.Error);

        var defect = await CommandRun.OfAsync("workload", "--connection", "Host=h");
        Assert.Equal((int)FailureKind.Unexpected, defect.ExitCode);
        Assert.Contains("   at ", defect.Error, StringComparison.Ordinal);
    }
}
