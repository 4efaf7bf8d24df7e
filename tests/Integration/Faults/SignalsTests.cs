using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>What terminals, shells and pipes do to a program.</summary>
public sealed class SignalsTests(TestServers servers)
{
    [Fact]
    public async Task A_terminal_that_is_closed_drains_as_SIGTERM_does()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var run = await scene.FollowingAsync();
        await scene.ChangeAsync();
        Assert.Equal(0, await run.StopAsync(Signal.HangUp, Scene.Ct));
        Assert.Contains("SIGHUP", run.Tail, StringComparison.Ordinal);
        await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct));
    }

    [Fact]
    public async Task What_was_started_with_nohup_outlives_its_terminal()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var run = await StartAsync(scene, "nohup", [.. CdcProcess.CommandLine, "run"]);
        await scene.CaughtUpAsync(run);
        run.Send(Signal.HangUp);
        await scene.ChangeAsync();
        await scene.CaughtUpAsync(run);
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
        Assert.DoesNotContain("SIGHUP", run.Tail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status --watch --json")]
    [InlineData("status --watch")]
    public async Task A_watch_ends_with_its_reader(string arguments)
    {
        await using var scene = await Scene.CreateAsync(servers);
        var command = string.Join(' ', CdcProcess.CommandLine.Select(part => $"'{part}'"));
        await using var shell = await StartAsync(
            scene,
            "bash",
            ["-c", $"{command} {arguments} | head -1; echo ended with ${{PIPESTATUS[0]}}"]
        );
        Assert.Equal(0, await shell.WaitAsync(Scene.Ct));
        Assert.Contains("ended with 0", shell.Tail, StringComparison.Ordinal);
    }

    private static Task<WatchedProcess> StartAsync(Scene scene, string program, string[] arguments) =>
        WatchedProcess.StartAsync(new WatchedCommand(program, arguments) { Environment = scene.Bed.Environment() }, Scene.Ct);
}
