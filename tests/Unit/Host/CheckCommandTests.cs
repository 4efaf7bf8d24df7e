using System.Text.Json;
using Cdc.Core.Failures;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class CheckCommandTests
{
    [Fact]
    public async Task Findings_of_both_servers_are_told_at_once()
    {
        var run = await RunAsync([new Finding("wal-level", true, "wal_level is replica.", "ALTER SYSTEM SET wal_level = 'logical';")], "check");
        Assert.Equal((int)FailureKind.Preflight, run.ExitCode);
        Assert.Contains("error wal-level: wal_level is replica.", run.Out, StringComparison.Ordinal);
        Assert.Contains("-> ALTER SYSTEM SET wal_level = 'logical';", run.Out, StringComparison.Ordinal);
        Assert.Contains("error engine: The engine 127.0.0.1:1/e cannot be reached.", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", run.Out + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_has_every_finding_with_its_remedy()
    {
        var run = await RunAsync([new Finding("slots", false, "One slot is free.", "raise max_replication_slots")], "check", "--json");
        var document = JsonDocument.Parse(run.Out).RootElement;
        Assert.False(document.GetProperty("ok").GetBoolean());
        Assert.Equal(["slots", "engine"], document.GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("code").GetString()!));
        Assert.Equal("raise max_replication_slots", document.GetProperty("findings")[0].GetProperty("remedy").GetString());
    }

    private static Task<CommandRun> RunAsync(IReadOnlyList<Finding> source, params string[] args) =>
        CommandRun.OfAsync(CommandRun.NoParts with { Preflight = (_, _, _) => Task.FromResult(source) }, null, TestContext.Current.CancellationToken, args);
}
