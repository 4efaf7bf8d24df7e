using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>What is compared when, by whichever process, and that nothing of it ever stops the pipeline.</summary>
public sealed class ContinuousTests(TestServers servers)
{
    [Fact]
    public async Task What_is_done_is_not_done_again_by_the_next_process()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 100);
        await bed.MinuteAsync();
        Assert.Equal(["nightly full consistent", "interval changed consistent"], await bed.RunsAsync());
        await bed.Worker().PassAsync(ComparisonBed.Ct);
        Assert.Equal(2, (await bed.RunsAsync()).Count);
        await bed.MinuteAsync();
        Assert.Equal("interval changed consistent", (await bed.RunsAsync())[2]);
        bed.Time.Advance(TimeSpan.FromHours(14));
        await bed.MinuteAsync();
        Assert.Equal(["nightly full consistent", "interval changed consistent"], (await bed.RunsAsync()).Skip(3));
    }

    [Fact]
    public async Task A_new_generation_is_compared_whole_before_what_has_changed_in_it()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 100);
        await bed.MinuteAsync(2);
        await bed.Engine.ExecuteAsync("UPDATE cdc.source SET generation = 2", ComparisonBed.Ct);
        bed.Bed.Fence.Generation = 2;
        await bed.MinuteAsync(2);
        Assert.Equal(
            ["nightly full consistent", "interval changed consistent", "interval changed consistent"],
            (await bed.RunsAsync()).Skip(3)
        );
    }

    [Fact]
    public async Task It_waits_a_minute_at_its_start_and_ends_when_it_is_told()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 100);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ComparisonBed.Ct);
        var running = bed.Worker().RunAsync(stop.Token);
        Assert.Equal(TimeSpan.FromMinutes(1), bed.Time.NextAlarm);
        Assert.Empty(await bed.RunsAsync());
        bed.Time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.True(
            "it compares, and waits again",
            async () => (await bed.RunsAsync()).Count == 2 && bed.Time.NextAlarm == TimeSpan.FromMinutes(1),
            ct: ComparisonBed.Ct
        );
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task While_tables_load_or_nothing_streams_nothing_is_compared()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 10);
        await bed.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'loading' WHERE entity = 'history'", ComparisonBed.Ct);
        await bed.MinuteAsync();
        await bed.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'streaming'; UPDATE cdc.source SET state = 'gap'", ComparisonBed.Ct);
        await bed.MinuteAsync();
        await bed.Engine.ExecuteAsync("DELETE FROM cdc.source", ComparisonBed.Ct);
        await bed.MinuteAsync();
        Assert.Empty(await bed.RunsAsync());
    }

    [Fact]
    public async Task A_failure_is_told_once_and_tried_again_a_minute_later()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 10);
        bed.Fences = new BrokenFences();
        var worker = bed.Worker();
        for (var minute = 0; minute < 3; minute++)
            Assert.Equal(TimeSpan.FromMinutes(1), await worker.PassAsync(ComparisonBed.Ct));
        Assert.Equal(3, (await bed.RunsAsync()).Count(r => r == "nightly full failed"));
        Assert.Single(bed.Log.Lines, l => l.Contains("the pipeline goes on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_defect_and_an_engine_that_is_gone_do_not_end_it()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 10);
        bed.Fences = new BrokenFences(defect: true);
        Assert.Equal(TimeSpan.FromMinutes(1), await bed.Worker().PassAsync(ComparisonBed.Ct));
        await bed.Engine.ExecuteAsync("ALTER SCHEMA cdc RENAME TO elsewhere", ComparisonBed.Ct);
        Assert.Equal(TimeSpan.FromMinutes(1), await bed.Worker().PassAsync(ComparisonBed.Ct));
        Assert.Equal(2, bed.Log.Lines.Count(l => l.Contains("the pipeline goes on", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Somebody_elses_comparison_is_no_failure()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 10);
        await using var other = new RunStore(await bed.Engine.DataSource.OpenConnectionAsync(ComparisonBed.Ct));
        await other.LockAsync(TimeSpan.Zero, ComparisonBed.Ct);
        await bed.MinuteAsync();
        Assert.Empty(await bed.RunsAsync());
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.reconcile_samples", ComparisonBed.Ct));
    }

    [Fact]
    public async Task Old_comparisons_of_what_had_changed_are_forgotten_at_night()
    {
        await using var bed = await ContinuousBed.CreateAsync(servers, 10);
        await bed.MinuteAsync(2);
        await bed.Engine.ExecuteAsync("UPDATE cdc.reconcile_runs SET started_at = started_at - interval '31 days'", ComparisonBed.Ct);
        bed.Time.Advance(TimeSpan.FromDays(1));
        await bed.MinuteAsync();
        Assert.Equal(["nightly full consistent", "nightly full consistent", "interval changed consistent"], await bed.RunsAsync());
        Assert.Equal(
            0,
            await bed.Engine.ScalarAsync<long>(
                "SELECT count(*) FROM cdc.reconcile_partitions p WHERE NOT EXISTS (SELECT FROM cdc.reconcile_runs r WHERE r.id = p.run)",
                ComparisonBed.Ct
            )
        );
    }

    [Fact]
    public async Task The_real_program_compares_repairs_what_is_far_off_and_still_drains()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, ComparisonBed.Ct);
        bed.ContinuousOptions = new ContinuousOptions { Interval = TimeSpan.FromMilliseconds(200), Repair = true };
        await bed.Source.ExecuteAsync(
            "INSERT INTO loyalty_program (name) VALUES ('one'); INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'one', 1)",
            ComparisonBed.Ct
        );
        var run = await bed.StartProcessAsync(ct: ComparisonBed.Ct);
        await bed.CaughtUpAsync(ComparisonBed.Ct);
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 2", ComparisonBed.Ct);
        await Eventually.True(
            "it was repaired, and everything compared again",
            () =>
                bed.Engine.ScalarAsync<bool>(
                    """
                    SELECT EXISTS (SELECT FROM cdc.reconcile_runs WHERE trigger = 'remediation' AND verdict = 'consistent') AND EXISTS (SELECT FROM cdc.reconcile_repairs WHERE outcome = 'repaired')
                        AND (SELECT points = 1 FROM loyalty_cards)
                    """,
                    ComparisonBed.Ct
                ),
            () => Task.FromResult(run.Tail),
            ct: ComparisonBed.Ct
        );
        Assert.Equal(0, await run.StopAsync(Signal.Terminate, ComparisonBed.Ct));
    }

    private sealed class BrokenFences(bool defect = false) : IFence
    {
        public Task<FencedSnapshots> OpenAsync(EntityDeclaration entity, KeyRange range, CancellationToken ct) =>
            throw (
                defect
                    ? new InvalidOperationException("a defect")
                    : new FenceException(FenceReasons.Waits, FailureKind.Unavailable, "It waits.", "Wait.")
            );
    }
}
