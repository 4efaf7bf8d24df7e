using System.Text.Json;
using Cdc.Core.Failures;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class CheckCommandTests
{
    [Fact]
    public async Task One_server_that_is_down_does_not_hide_that_the_other_is()
    {
        var run = await CommandRun.OfAsync("check");
        Assert.Equal((int)FailureKind.Preflight, run.ExitCode);
        Assert.Contains("error source-unreachable: The source cannot be reached", run.Out, StringComparison.Ordinal);
        Assert.Contains("-> Start the source", run.Out, StringComparison.Ordinal);
        Assert.Contains("error engine: The engine cannot be reached", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", run.Out + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_every_finding_with_its_remedy()
    {
        var run = await CommandRun.OfAsync("check", "--json");
        var document = JsonDocument.Parse(run.Out).RootElement;
        Assert.False(document.GetProperty("ok").GetBoolean());
        Assert.Equal(
            ["source-unreachable", "engine"],
            document.GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("code").GetString()!)
        );
        Assert.All(
            document.GetProperty("findings").EnumerateArray(),
            f => Assert.StartsWith("Start the ", f.GetProperty("remedy").GetString(), StringComparison.Ordinal)
        );
    }
}
