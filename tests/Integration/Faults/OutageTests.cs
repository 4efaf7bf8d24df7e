using System.Diagnostics;
using System.Globalization;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>The real program waits for servers that are away, says so, and goes on by itself.</summary>
public sealed class OutageTests(OwnServers servers, ITestOutputHelper output) : IClassFixture<OwnServers>
{
    private const long MostResidentMiB = 300;

    private static readonly TimeSpan LeastAway =
        Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1" ? TimeSpan.FromMinutes(1) : TimeSpan.Zero;

    [Fact]
    public async Task Servers_that_are_down_at_the_start_are_waited_for()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await servers.Source.StopAsync(ct: Scene.Ct);
        await servers.Engine.StopAsync(ct: Scene.Ct);
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await SaysAsync(run, "The source cannot be reached");
        await servers.Source.StartAgainAsync(Scene.Ct);
        await SaysAsync(run, "The engine cannot be reached");
        await servers.Engine.StartAgainAsync(Scene.Ct);
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task A_table_that_cannot_be_followed_does_not_end_a_start_that_waits_for_the_engine()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        await scene.FollowAsync();
        await servers.Engine.StopAsync(ct: Scene.Ct);
        await scene.Source.ExecuteAsync("ALTER TABLE loyalty_point_history REPLICA IDENTITY NOTHING", Scene.Ct);
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await SaysAsync(run, "The engine cannot be reached");
        await servers.Engine.StartAgainAsync(Scene.Ct);
        scene.ForgetConnections();
        await SaysAsync(run, "Table public.loyalty_point_history stops");
        await scene.Source.ExecuteAsync("ALTER TABLE loyalty_point_history REPLICA IDENTITY DEFAULT", Scene.Ct);
        await scene.EndsEqualAsync(run);
    }

    /// <summary>CI waits for a few thousand transactions, <c>CDC_TEST_LONG=1</c> for a minute of them.</summary>
    [Fact]
    public async Task An_engine_that_is_away_under_load_is_waited_for_in_bounded_memory()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        var run = await scene.FollowingAsync();
        await UnderLoadAsync(
            scene,
            async workload =>
            {
                await servers.Engine.StopAsync(PgStopMode.Immediate, Scene.Ct);
                await SaysAsync(run, "The engine ");
                var (sofar, away) = (workload.Progress.Transactions, Stopwatch.StartNew());
                await Eventually.True(
                    "the backlog grows",
                    () => workload.Progress.Transactions > sofar + 5000 && away.Elapsed >= LeastAway,
                    timeout: 3 * Eventually.DefaultTimeout,
                    ct: Scene.Ct
                );
                output.WriteLine($"away for {away.Elapsed.TotalSeconds:0} s and {workload.Progress.Transactions - sofar} transactions");
                await servers.Engine.StartAgainAsync(Scene.Ct);
            }
        );
        await scene.CaughtUpAsync(run);
        output.WriteLine($"peak {PeakMiB(run)} MiB");
        Assert.InRange(PeakMiB(run), 1, MostResidentMiB);
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public Task A_source_killed_under_load_is_waited_for() =>
        KilledTwiceAsync(servers.Source, run => SaysAsync(run, "The source cannot be reached"));

    [Fact]
    public Task An_engine_killed_under_load_takes_back_what_it_had_not_flushed_and_gets_it_again() =>
        KilledTwiceAsync(servers.Engine, _ => Task.CompletedTask);

    [Fact]
    public async Task A_source_killed_in_the_middle_of_a_large_transaction_sends_it_again_and_it_is_applied_once()
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { BatchRows = 1000 };
        var run = await scene.FollowingAsync();
        await scene.InsertHistoryAsync(200_000);
        await scene.ApplyIsInTransactionAsync();
        await servers.Source.KillAsync(Scene.Ct);
        await SaysAsync(run, "The source cannot be reached");
        scene.ForgetConnections();
        Assert.Equal(50L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM point_history", Scene.Ct));
        await servers.Source.StartAgainAsync(Scene.Ct);
        await scene.EndsEqualAsync(run);
    }

    private async Task KilledTwiceAsync(PgCluster server, Func<WatchedProcess, Task> noticed)
    {
        await using var scene = await Scene.CreateAsync(servers.Source, servers.Engine);
        var run = await scene.FollowingAsync();
        await UnderLoadAsync(
            scene,
            async workload =>
            {
                for (var kill = 0; kill < 2; kill++)
                {
                    var sofar = workload.Progress.Transactions;
                    await Eventually.True("the load goes on", () => workload.Progress.Transactions > sofar + 300, ct: Scene.Ct);
                    await server.KillAsync(Scene.Ct);
                    await noticed(run);
                    await server.StartAgainAsync(Scene.Ct);
                }
            }
        );
        await scene.EndsEqualAsync(run);
    }

    private static Task SaysAsync(WatchedProcess run, string words) =>
        Eventually.True($"cdc run says: {words}", () => run.Tail.Contains(words, StringComparison.Ordinal), () => run.Tail, ct: Scene.Ct);

    private static async Task UnderLoadAsync(Scene scene, Func<WorkloadGenerator, Task> act)
    {
        await using var workload = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = scene.Source.ConnectionString,
                Sessions = 2,
                TransactionsPerSecond = 500,
            }
        );
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Scene.Ct);
        var working = workload.RunAsync(ending.Token);
        await act(workload);
        await ending.CancelAsync();
        await working;
    }

    private static long PeakMiB(WatchedProcess run)
    {
        var line = File.ReadLines($"/proc/{run.Pid}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
