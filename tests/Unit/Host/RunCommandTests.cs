using Cdc.Core.Failures;
using Cdc.Host;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class RunCommandTests
{
    [Fact]
    public async Task A_signal_drains_and_exits_with_0()
    {
        using var stop = new CancellationTokenSource();
        var pipeline = Pipeline(async ct =>
        {
            await stop.CancelAsync();
            ct.ThrowIfCancellationRequested();
        });
        Assert.Equal(0, (await RunAsync(pipeline, stop.Token)).ExitCode);
    }

    [Fact]
    public async Task The_exit_code_waits_for_the_drain()
    {
        using var stop = new CancellationTokenSource();
        var drained = false;
        var pipeline = Pipeline(async ct =>
        {
            await stop.CancelAsync();
            Assert.True(ct.IsCancellationRequested);
            await Task.Yield();
            drained = true;
        });
        Assert.Equal(0, (await RunAsync(pipeline, stop.Token)).ExitCode);
        Assert.True(drained);
    }

    [Theory]
    [InlineData(FailureKind.DeclaredGap)]
    [InlineData(FailureKind.Fenced)]
    [InlineData(FailureKind.Preflight)]
    public async Task A_pipeline_that_cannot_go_on_gives_its_kind_as_exit_code(FailureKind kind) =>
        Assert.Equal(
            (int)kind,
            (await RunAsync(Pipeline(_ => throw new CdcException(kind, "m", "r")), TestContext.Current.CancellationToken)).ExitCode
        );

    [Fact]
    public async Task A_defect_goes_to_the_log_with_exit_code_1_and_not_as_plain_text_among_its_lines()
    {
        var run = await RunAsync(Pipeline(_ => throw new InvalidOperationException("a defect")), TestContext.Current.CancellationToken);
        Assert.Equal(((int)FailureKind.Unexpected, ""), (run.ExitCode, run.Error));
    }

    [Fact]
    public async Task A_pipeline_that_fails_while_draining_does_not_exit_with_0()
    {
        using var stop = new CancellationTokenSource();
        var pipeline = Pipeline(async _ =>
        {
            await stop.CancelAsync();
            throw new CdcException(FailureKind.Unavailable, "m", "r");
        });
        Assert.Equal((int)FailureKind.Unavailable, (await RunAsync(pipeline, stop.Token)).ExitCode);
    }

    private static Task<CommandRun> RunAsync(RunPipeline pipeline, CancellationToken ct) =>
        CommandRun.OfAsync(CommandRun.NoParts with { Pipeline = pipeline }, null, ct, "run");

    private static RunPipeline Pipeline(Func<CancellationToken, Task> run) => (_, _, _, ct) => run(ct);
}
