using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>SIGTERM at any moment: exit code 0 soon, and the next start goes on where it was.</summary>
public sealed class DrainTests(TestServers servers)
{
    /// <summary>Less than service managers wait before they kill.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Sigterm_under_load_exits_0_and_the_next_start_goes_on()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var workload = new WorkloadGenerator(
            new WorkloadOptions { ConnectionString = scene.Source.ConnectionString, Sessions = 2 }
        );
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(Scene.Ct);
        var working = workload.RunAsync(ending.Token);
        for (var round = 0; round < 3; round++)
        {
            var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
            var sofar = workload.Progress.Transactions;
            await Eventually.True(
                "it streams, and the load runs",
                async () => workload.Progress.Transactions > sofar + 200 && await IsStreamingAsync(scene),
                ct: Scene.Ct
            );
            await StopsSoonAsync(run);
        }
        await ending.CancelAsync();
        await working;
        await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct));
    }

    [Fact]
    public async Task Sigterm_in_the_middle_of_a_large_transaction_exits_0_and_applies_nothing_of_it_until_the_next_start()
    {
        await using var scene = await Scene.CreateAsync(servers);
        scene.Bed.EngineOptions = scene.Bed.EngineOptions with { BatchRows = 1000 };
        var run = await scene.FollowingAsync();
        await scene.InsertHistoryAsync(200_000);
        await scene.ApplyIsInTransactionAsync();
        await StopsSoonAsync(run);
        Assert.Equal(50L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM point_history", Scene.Ct));
        await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct));
    }

    [Fact]
    public async Task Sigterm_in_the_middle_of_a_load_exits_0_and_the_next_start_goes_on_at_the_last_finished_chunk()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.InsertHistoryAsync(200_000);
        scene.Bed.SnapshotOptions = scene.Bed.SnapshotOptions with { ChunkRows = 2000 };
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await Eventually.True("some chunks are done", async () => await DoneAsync(scene) > 3, ct: Scene.Ct);
        await StopsSoonAsync(run);
        var done = await scene.Engine.RowsAsync("SELECT id FROM cdc.chunks WHERE state = 'done' ORDER BY id", Scene.Ct);
        Assert.NotEqual(0L, await scene.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.chunks WHERE state = 'pending'", Scene.Ct));
        var finished = await scene.Engine.RowsAsync("SELECT id, finished_at FROM cdc.chunks WHERE state = 'done' ORDER BY id", Scene.Ct);
        run = await scene.FollowingAsync();
        var kept = await scene.Engine.RowsAsync(
            $"SELECT id, finished_at FROM cdc.chunks WHERE id IN ({string.Join(',', done)}) ORDER BY id",
            Scene.Ct
        );
        Assert.Equal(finished, kept);
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task Sigterm_between_reading_and_marking_a_chunk_exits_0_and_the_next_start_reads_it()
    {
        await using var scene = await Scene.CreateAsync(servers);
        scene.Bed.SnapshotOptions = scene.Bed.SnapshotOptions with { Workers = 1 };
        await using var markers = await HeldMarkers.SetUpAsync(scene.Bed, Scene.Ct);
        var run = await scene.FollowingAsync();
        await markers.HoldAsync(HeldMarkers.Place.BeforeMarker, Scene.Ct);
        await scene.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Scene.Ct);
        await markers.ReachedAsync(Scene.Ct);
        // What was read is older than this.
        await scene.ChangeAsync();
        await StopsSoonAsync(run);
        Assert.Equal(
            "accepted|pending",
            Assert.Single(
                await scene.Engine.RowsAsync("SELECT r.state, c.state FROM cdc.requests r JOIN cdc.chunks c ON c.request = r.id", Scene.Ct)
            )
        );

        await scene.ChangeAsync();
        await markers.ReleaseAsync(HeldMarkers.Place.BeforeMarker, Scene.Ct);
        run = await scene.FollowingAsync();
        Assert.Equal(
            "done|done",
            Assert.Single(
                await scene.Engine.RowsAsync("SELECT r.state, c.state FROM cdc.requests r JOIN cdc.chunks c ON c.request = r.id", Scene.Ct)
            )
        );
        await scene.EndsEqualAsync(run);
    }

    [Fact]
    public async Task Sigterm_while_the_slot_waits_for_an_open_transaction_exits_0()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await using var open = await scene.Source.DataSource.OpenConnectionAsync(Scene.Ct);
        await using var transaction = await open.BeginTransactionAsync(Scene.Ct);
        await using (var command = open.CreateCommand())
        {
            command.CommandText = "UPDATE loyalty_card SET points = 7 WHERE id = 1";
            await command.ExecuteNonQueryAsync(Scene.Ct);
        }
        var run = await scene.Bed.StartProcessAsync(ct: Scene.Ct);
        await Eventually.True(
            "it creates the slot",
            () => run.Tail.Contains("Creating slot", StringComparison.Ordinal),
            () => run.Tail,
            ct: Scene.Ct
        );
        await StopsSoonAsync(run);
        await transaction.CommitAsync(Scene.Ct);
        await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Scene.Ct));
    }

    private static async Task StopsSoonAsync(WatchedProcess run)
    {
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(Scene.Ct);
        soon.CancelAfter(Soon);
        Assert.True(await run.StopAsync(Signal.Terminate, soon.Token) == 0, run.Tail);
    }

    private static Task<bool> IsStreamingAsync(Scene scene) =>
        scene.Source.ScalarAsync<bool>(
            $"SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = '{scene.Slot}' AND active)",
            Scene.Ct
        );

    private static Task<long> DoneAsync(Scene scene) =>
        scene.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.chunks WHERE state = 'done' AND entity = 'history'", Scene.Ct);
}
