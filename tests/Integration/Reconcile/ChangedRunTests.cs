using Cdc.Reconcile;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Runs over what has changed look at touched partitions, and at no others.</summary>
public sealed class ChangedRunTests(TestServers servers)
{
    private static readonly string[] Card = ["card"];

    private static CancellationToken Ct => ComparisonBed.Ct;

    [Fact]
    public async Task Without_a_run_to_go_on_from_everything_is_looked_at()
    {
        await using var bed = await BedAsync();
        Assert.Equal(20_000, (await bed.RunAsync(RunKind.Changed, Card)).Total.Compared);
    }

    [Fact]
    public async Task Nothing_touched_is_nothing_compared()
    {
        await using var bed = await BedAsync();
        await bed.RunAsync(RunKind.Full, Card);
        var report = await bed.RunAsync(RunKind.Changed, Card);
        Assert.Equal((0, "consistent"), (report.Total.Compared, report.Run.Verdict));
    }

    [Fact]
    public async Task A_table_that_is_stopped_is_not_called_consistent_because_nothing_came_of_it()
    {
        await using var bed = await BedAsync();
        await bed.RunAsync(RunKind.Full, Card);
        await bed.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'stopped', reason = 'it was renamed' WHERE entity = 'card'", Ct);
        var report = await bed.RunAsync(RunKind.Changed, Card);
        Assert.Equal(("inconclusive", "card is stopped: it was renamed"), (report.Run.Verdict, report.Run.Detail));
        await bed.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'streaming', reason = NULL WHERE entity = 'card'", Ct);
        Assert.Equal("consistent", (await bed.RunAsync(RunKind.Changed, Card)).Run.Verdict);
    }

    [Fact]
    public async Task What_was_applied_while_a_table_was_left_out_is_compared_by_the_next_run()
    {
        // A run that compares nothing has looked at nothing: of this one something else is compared.
        string[] both = ["program", "card"];
        await using var bed = await BedAsync("INSERT INTO loyalty_program (id, name) VALUES (1, 'P');");
        await bed.RunAsync(RunKind.Full, both);
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards SET points = 0, source_generation = 1, source_lsn = '0/500' WHERE id = 17; UPDATE cdc.checkpoints SET through_lsn = '0/600'; "
                + "UPDATE promotion_programs SET source_generation = 1, source_lsn = '0/500'; ALTER TABLE loyalty_cards RENAME TO elsewhere",
            Ct
        );
        Assert.Equal("inconclusive", (await bed.RunAsync(RunKind.Changed, both)).Run.Verdict);
        await bed.Engine.ExecuteAsync("ALTER TABLE elsewhere RENAME TO loyalty_cards", Ct);
        Assert.Equal(17, Assert.Single((await bed.RunAsync(RunKind.Changed, both)).Drift).Key);
    }

    [Fact]
    public async Task An_applied_row_a_deleted_row_and_open_drift_touch_their_partitions()
    {
        await using var bed = await BedAsync();
        await bed.RunAsync(RunKind.Full, Card);
        // As Apply writes it, and wrong.
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0, source_generation = 1, source_lsn = '0/500' WHERE id = 17", Ct);
        var applied = await bed.RunAsync(RunKind.Changed, Card);
        Assert.Equal((17, 1), (Assert.Single(applied.Drift).Key, Assert.Single(applied.Entities).Partitions.Count));
        await bed.Engine.ExecuteAsync("UPDATE cdc.checkpoints SET through_lsn = '0/600'; DELETE FROM loyalty_cards WHERE id = 19999", Ct);
        var deleted = await bed.RunAsync(RunKind.Changed, Card);
        Assert.Equal([17, 19_999], deleted.Drift.Select(d => d.Key));
        Assert.Equal(2, deleted.Entities.Single().Partitions.Count);
    }

    [Fact]
    public async Task What_was_repaired_is_seen_to_be_and_looked_at_no_more()
    {
        await using var bed = await BedAsync();
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 1 WHERE id = 17", Ct);
        await bed.RunAsync(RunKind.Full, Card);
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points - 1 WHERE id = 17", Ct);
        Assert.Equal("consistent", (await bed.RunAsync(RunKind.Changed, Card)).Run.Verdict);
        Assert.Equal(0, (await bed.RunAsync(RunKind.Changed, Card)).Total.Compared);
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.drift WHERE resolved_at IS NULL", Ct));
    }

    [Fact]
    public async Task Looking_for_what_was_touched_leaves_the_engine_its_pauses()
    {
        await using var bed = await BedAsync();
        // No slice is ever quick enough for a larger one.
        bed.Options = bed.Options with
        {
            SliceTime = TimeSpan.FromTicks(1),
        };
        await bed.RunAsync(RunKind.Full, Card);
        var time = new WorkingTime();
        var reconciler = new Reconciler(bed.Servers, bed.Options) { Pace = new Pace(25, time) };
        await reconciler.RunAsync(new RunRequest(RunKind.Changed, [bed.Entities.Find("card")!]), Ct);
        // Five slices are two pieces of work, and a piece that took a second rests for three.
        Assert.Equal([TimeSpan.FromSeconds(3)], time.Pauses);
    }

    /// <summary>Every look at the clock finds it a second on; who waits is not kept.</summary>
    private sealed class WorkingTime : TimeProvider
    {
        private long _seconds;

        public List<TimeSpan> Pauses { get; } = [];

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => ++_seconds;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Add(dueTime);
            return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task<ComparisonBed> BedAsync(string more = "")
    {
        var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(20_000) + more);
        bed.Options = new ReconcileOptions { SliceRows = 4096 };
        await bed.Engine.ExecuteAsync(
            """
            INSERT INTO cdc.source (state, generation, system_identifier, timeline, database_name, slot, publication) VALUES ('streaming', 1, '1', 1, 'x', 'x', 'x');
            INSERT INTO cdc.checkpoints (partition, generation, through_lsn, owner_token) VALUES ('all', 1, '0/400', gen_random_uuid())
            """,
            Ct
        );
        return bed;
    }
}
