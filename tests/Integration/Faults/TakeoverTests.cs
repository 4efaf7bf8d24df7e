using System.Diagnostics;
using Cdc.Capture.Stream;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

public sealed class TakeoverTests(TestServers servers)
{
    [Fact]
    public async Task Two_that_start_at_once_on_a_new_engine_begin_one_generation_and_one_waits()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var both = await Task.WhenAll(scene.Bed.StartProcessAsync(ct: Scene.Ct), scene.Bed.StartProcessAsync(ct: Scene.Ct));
        await scene.CaughtUpAsync(both[0]);
        await Eventually.True(
            "one of the two is standby",
            () => both.Any(IsStandby),
            () => both[0].Tail + Environment.NewLine + both[1].Tail,
            ct: Scene.Ct
        );
        Assert.Equal(1, await scene.Engine.ScalarAsync<int>("SELECT generation FROM cdc.source", Scene.Ct));
        await scene.ChangeAsync();
        await scene.CaughtUpAsync(both[0]);
        await scene.Bed.AssertEqualAsync(Scene.Ct);
        foreach (var run in both)
            Assert.Equal(0, await run.StopAsync(Signal.Terminate, Scene.Ct));
    }

    [Fact]
    public async Task The_standby_takes_over_after_kill_9_under_load_and_nothing_is_lost_or_counted_twice()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var first = await scene.FollowingAsync();
        var second = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await Eventually.True("the second is standby", () => IsStandby(second), () => second.Tail, ct: Scene.Ct);
        await using var workload = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = scene.Source.ConnectionString,
                Sessions = 2,
                TransactionsPerSecond = 200,
            }
        );
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Scene.Ct);
        var working = workload.RunAsync(ending.Token);
        await Eventually.True("the load runs", () => workload.Progress.Transactions > 100, ct: Scene.Ct);

        // Nobody else touches it: its count tells of every update that was applied.
        await scene.Source.ExecuteAsync(
            "INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1000000, 1, 'counted', 0)",
            Scene.Ct
        );
        for (var i = 0; i < 20; i++)
            await scene.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1 WHERE id = 1000000", Scene.Ct);
        await first.StopAsync(Signal.Kill, Scene.Ct);
        var killed = Stopwatch.StartNew();
        await scene.Source.ExecuteAsync("INSERT INTO loyalty_program (name) VALUES ('after the kill')", Scene.Ct);
        await Eventually.True(
            "what came after the kill is applied",
            () => scene.Engine.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM promotion_programs WHERE name = 'after the kill')", Scene.Ct),
            () => Task.FromResult(second.Tail),
            ct: Scene.Ct
        );
        TestContext.Current.TestOutputHelper?.WriteLine($"figure takeover.s {killed.Elapsed.TotalSeconds:0.00} s");

        await ending.CancelAsync();
        await working;
        await scene.CaughtUpAsync(second);
        Assert.Equal(
            20L,
            await scene.Engine.ScalarAsync<long>("SELECT sync_version::bigint FROM loyalty_cards WHERE id = 1000000", Scene.Ct)
        );
        await scene.EndsEqualAsync(second);
    }

    [Fact]
    public async Task A_process_that_names_another_slot_stops_and_declares_no_gap_of_the_one_that_is_followed()
    {
        await using var scene = await Scene.CreateAsync(servers);
        var healthy = await scene.FollowingAsync();
        var stray = await CdcProcess.RunAsync(
            ["run"],
            new Dictionary<string, string?>(scene.Bed.Environment()) { ["CDC__Source__SlotName"] = "cdc_another" },
            Scene.Ct
        );
        Assert.Equal((int)FailureKind.DeclaredGap, stray.ExitCode);
        Assert.Contains("cdc_another", stray.Output, StringComparison.Ordinal);
        Assert.Equal(
            "streaming",
            await scene.Engine.ScalarAsync<string>("SELECT concat_ws(' ', state, gap_kind) FROM cdc.source", Scene.Ct)
        );
        await scene.EndsEqualAsync(healthy);
    }

    [Fact]
    public async Task A_slot_that_another_process_holds_is_waited_for()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await using var other = await ReplicationSource.ConnectAsync(scene.Bed.SourceOptions, NullLogger.Instance, Scene.Ct);
        await other.StartAsync(Lsn.Zero, Scene.Ct);
        await scene.ChangeAsync();
        Assert.NotNull(await other.ReadAsync(Scene.Ct));
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await Eventually.True("cdc run says that it waits", () => IsStandby(run), () => run.Tail, ct: Scene.Ct);
        await other.DisposeAsync();
        await scene.EndsEqualAsync(run);
    }

    private static bool IsStandby(WatchedProcess run) => run.Tail.Contains("Standby", StringComparison.Ordinal);
}
