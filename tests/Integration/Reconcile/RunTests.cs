using Cdc.Core.Failures;
using Cdc.Core.Snapshots;
using Cdc.Host.Reconciling;
using Cdc.Reconcile;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>What a run records, and what it calls itself.</summary>
public sealed class RunTests(TestServers servers)
{
    private static readonly string[] Card = ["card"];

    private static CancellationToken Ct => ComparisonBed.Ct;

    [Fact]
    public async Task Equal_sides_are_consistent_with_equal_totals_and_spot_checks()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(2000) + ComparisonBed.History(3000));
        var report = await bed.RunAsync(RunKind.Full, ["card", "history"]);
        Assert.Equal(("done", "consistent", false), (report.Run.State, report.Run.Verdict, report.Run.Capped));
        Assert.Equal((5000, 1.0), (report.Total.Compared, report.Total.Rate));
        Assert.All(report.Totals, t => Assert.Equal(t.Odoo, t.Engine));
        // Odoo's own sums, of a child by its card's program and company; history without a card has none.
        var expected = await bed.Source.RowsAsync(
            """
            SELECT c.program_id, c.company_id, sum(round(h.points_amount::numeric, 2)) FROM loyalty_point_history h LEFT JOIN loyalty_card c ON c.id = h.loyalty_card_id GROUP BY 1, 2 ORDER BY 1 NULLS FIRST, 2 NULLS FIRST
            """,
            Ct
        );
        Assert.Equal(
            expected,
            report.Totals.Where(t => t is { Entity: "history", Field: "points_amount" }).Select(t => $"{t.Program}|{t.Company}|{t.Odoo}")
        );
        Assert.Equal(3, report.SpotChecks.Count(s => s.Entity == "card"));
        Assert.All(report.SpotChecks, s => Assert.True(s.Rows > 0 && s.Differing.Count == 0));
    }

    [Fact]
    public async Task Drift_is_kept_from_the_run_that_saw_it_first_until_the_one_that_does_not_find_it()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100));
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards SET points = points + 1 WHERE id IN (5, 6); DELETE FROM loyalty_cards WHERE id = 7",
            Ct
        );
        var first = await bed.RunAsync(RunKind.Full, Card);
        Assert.Equal(("drift", 3, 0.97), (first.Run.Verdict, first.Total.Drift, first.Total.Rate));
        Assert.Equal(4m + 1m - 3m - 554.33m, first.Totals.Where(t => t.Field == "points").Sum(t => t.Difference));
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards SET points = points - 1 WHERE id = 6; UPDATE loyalty_cards SET points = points + 1 WHERE id = 5",
            Ct
        );
        var second = await bed.RunAsync(RunKind.Full, Card);
        Assert.Equal([5, 7], second.Drift.Select(d => d.Key));
        Assert.All(second.Drift, d => Assert.Equal(first.Run.Id, d.FirstRun));
        Assert.Equal("397.95", second.Drift[0].EngineValue);
        Assert.Equal(
            $"6|{second.Run.Id}",
            Assert.Single(await bed.Engine.RowsAsync("SELECT key, resolved_run FROM cdc.drift WHERE resolved_at IS NOT NULL", Ct))
        );
        Assert.Equal(2, second.History.Count);
    }

    [Fact]
    public async Task Drift_of_keys_that_a_run_did_not_compare_stays_open()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100));
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0 WHERE id IN (5, 50)", Ct);
        await bed.RunAsync(RunKind.Full, Card);
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards c SET points = round(s.points, 2) FROM (VALUES (5, 395.95), (50, 3959.50)) s(id, points) WHERE s.id = c.id",
            Ct
        );
        bed.Fence.InFlight = _ => new InFlightKeys(false, new HashSet<long> { 5 });
        await bed.RunAsync(RunKind.Full, Card);
        Assert.Equal(["5"], await bed.Engine.RowsAsync("SELECT key FROM cdc.drift WHERE resolved_at IS NULL", Ct));
    }

    [Fact]
    public async Task More_drift_than_may_be_kept_is_counted_and_the_run_is_capped()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(10_000));
        bed.Options = new ReconcileOptions { MaxDrift = 7, SliceRows = 4096 };
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 1", Ct);
        var report = await bed.RunAsync(RunKind.Full, Card);
        Assert.Equal((true, "drift", 10_000, 7), (report.Run.Capped, report.Run.Verdict, report.Total.Drift, report.DriftRows));
        // Not even by hand can it be made to say otherwise.
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() =>
            bed.Engine.ExecuteAsync("UPDATE cdc.reconcile_runs SET verdict = 'consistent'", Ct)
        );
    }

    [Fact]
    public async Task A_run_that_could_not_compare_everything_is_inconclusive()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100));
        await bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key, state) VALUES ('card', 1, 'load', 50, 60, 'pending')",
            Ct
        );
        var report = await bed.RunAsync(RunKind.Full, Card);
        Assert.Equal(("inconclusive", 90, 10), (report.Run.Verdict, report.Total.Compared, report.Total.Loading));
    }

    [Fact]
    public async Task A_row_in_quarantine_is_not_consistent_in_any_kind_of_run()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100));
        await bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at) VALUES ('card', 5, 1, '0/1', 0, 'x', '', now())",
            Ct
        );
        var full = await bed.RunAsync(RunKind.Full, Card);
        Assert.Equal(("inconclusive", 1L), (full.Run.Verdict, full.Total.NotCompared));
        Assert.Equal((int)FailureKind.Inconclusive, ReconcileOutcome.ExitCodeOf(full));
        Assert.Contains("<span class=\"verdict inconclusive\">", HtmlReport.Of(full), StringComparison.Ordinal);
        Assert.Equal("inconclusive", (await bed.RunAsync(RunKind.SignOff, Card)).Run.Verdict);
        await bed.Engine.ExecuteAsync("DELETE FROM cdc.quarantine", Ct);
        Assert.Equal("consistent", (await bed.RunAsync(RunKind.SignOff, Card)).Run.Verdict);
    }

    [Fact]
    public async Task A_sign_off_during_which_something_is_applied_fails()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(10_000));
        bed.Options = new ReconcileOptions { SliceRows = 4096 };
        await bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.checkpoints (partition, generation, owner_token) VALUES ('all', 1, gen_random_uuid())",
            Ct
        );
        bed.Fence.BeforeOpening = _ =>
            bed.Fence.Opened == 2 ? bed.Engine.ExecuteAsync("UPDATE cdc.checkpoints SET last_lsn = '0/5'", Ct) : Task.CompletedTask;
        var failure = await Assert.ThrowsAsync<CdcException>(() => bed.RunAsync(RunKind.SignOff, Card));
        Assert.Equal(FailureKind.Refused, failure.Kind);
        Assert.Equal("failed|", Assert.Single(await bed.Engine.RowsAsync("SELECT state, verdict FROM cdc.reconcile_runs", Ct)));
    }

    [Fact]
    public async Task A_run_that_was_interrupted_goes_on_behind_its_last_slice()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(30_000));
        bed.Options = new ReconcileOptions { SliceRows = 5000, SliceTime = TimeSpan.FromMinutes(1) };
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0 WHERE id IN (1, 29999)", Ct);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var interrupt = new Stopper(stop);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            bed.RunAsync(RunKind.Full, Card, progress: interrupt, ct: stop.Token)
        );
        Assert.Equal(("running", 1), ((await bed.ReportAsync(1)).Run.State, (await bed.ReportAsync(1)).Entities[0].Partitions.Count));
        var report = await bed.RunAsync(RunKind.Full, Card);
        Assert.Equal((1, "drift", 30_000, 2), (report.Run.Id, report.Run.Verdict, report.Total.Compared, report.Total.Drift));
        Assert.Equal([1, 29_999], report.Drift.Select(d => d.Key));
        // Another question is another run.
        Assert.Equal(2, (await bed.RunAsync(RunKind.Full, Card, new KeyRange(1, 10))).Run.Id);
    }

    [Fact]
    public async Task Rows_changed_by_hand_while_it_runs_are_found_where_it_has_not_been_yet_and_by_the_next_run_elsewhere()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(10_000));
        bed.Options = new ReconcileOptions { SliceRows = 4096, SliceTime = TimeSpan.FromMinutes(1) };
        bed.Fence.BeforeOpening = _ =>
            bed.Fence.Opened == 2
                ? bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 1 WHERE id IN (5, 9999)", Ct)
                : Task.CompletedTask;
        Assert.Equal([9999], (await bed.RunAsync(RunKind.Full, Card)).Drift.Select(d => d.Key));
        Assert.Equal([5, 9999], (await bed.RunAsync(RunKind.Full, Card)).Drift.Select(d => d.Key));
    }

    [Fact]
    public async Task A_new_generation_ends_a_run()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(10_000));
        bed.Options = new ReconcileOptions { SliceRows = 4096 };
        bed.Fence.BeforeOpening = _ =>
        {
            bed.Fence.Generation = bed.Fence.Opened;
            return Task.CompletedTask;
        };
        var failure = await Assert.ThrowsAsync<CdcException>(() => bed.RunAsync(RunKind.Full, Card));
        Assert.Contains("Generation 2", failure.Message, StringComparison.Ordinal);
        Assert.Equal("failed", (await bed.ReportAsync(1)).Run.State);
    }

    [Fact]
    public async Task A_statement_that_takes_too_long_makes_slices_smaller()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(20_000));
        // Every thousandth row takes a tenth of a second.
        await bed.Engine.ExecuteAsync(
            """
            ALTER TABLE loyalty_cards RENAME TO slow;
            CREATE VIEW loyalty_cards AS SELECT * FROM slow WHERE CASE WHEN id % 1000 = 0 THEN pg_sleep(0.1)::text = '' ELSE true END
            """,
            Ct
        );
        bed.Options = new ReconcileOptions
        {
            SliceRows = 20_000,
            StatementTimeout = TimeSpan.FromSeconds(1),
            SliceTime = TimeSpan.FromMilliseconds(10),
        };
        var compared = await bed.CompareAsync("card");
        Assert.Equal((20_000, 0), (compared.Numbers.Compared, compared.Numbers.Drift));
        Assert.True(bed.Fence.Opened > compared.Slices.Count, "no slice was given up");
    }

    [Fact]
    public async Task Two_runs_at_once_are_refused()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(10));
        CdcException? refused = null;
        bed.Fence.BeforeOpening = async _ => refused ??= await Assert.ThrowsAsync<CdcException>(() => bed.RunAsync(RunKind.Full, Card));
        Assert.Equal("consistent", (await bed.RunAsync(RunKind.Full, Card)).Run.Verdict);
        Assert.Equal(FailureKind.Refused, refused!.Kind);
    }

    [Fact]
    public async Task Odoos_own_contradictions_are_numbers_of_their_own()
    {
        await using var bed = await ComparisonBed.CreateAsync(
            servers,
            """
            INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'a', 10), (2, 1, ' A', 20), (3, 1, 'c', 5);
            INSERT INTO loyalty_program (id) VALUES (1);
            INSERT INTO loyalty_point_history (id, loyalty_card_id, points_balance, transaction_time) VALUES (1, 1, 10, '2024-01-02'), (2, 1, 99, '2024-01-01'), (3, 2, 21, '2024-01-01'), (4, 77, 1, '2024-01-01');
            INSERT INTO loyalty_point_move (id, loyalty_card_id, remaining_point, state) VALUES (1, 1, 4, 'active'), (2, 1, 6, 'active'), (3, 1, 6, 'expired'), (4, 3, 5.01, 'active');
            """
        );
        var report = await bed.RunAsync(RunKind.Full, ["card", "history", "move"], violations: true);
        Assert.Equal("consistent", report.Run.Verdict);
        Assert.Equal(
            ["card-points-not-active-moves 2 3", "card-points-not-last-balance 2", "history-orphan-loyalty-card-id 4"],
            report.Violations.Where(v => v.Rows > 0).Select(v => $"{v.Kind} {string.Join(' ', v.Examples)}")
        );
    }

    private sealed class Stopper(CancellationTokenSource stop) : IProgress<ReconcileProgress>
    {
        public void Report(ReconcileProgress value) => stop.Cancel();
    }
}
