using Cdc.Core.Failures;
using Cdc.Engine;
using Cdc.Engine.Snapshots;
using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>What a repair does to each key, and what it leaves alone.</summary>
public sealed class RepairTests(TestServers servers) : IAsyncLifetime
{
    private PipelineBed _bed = null!;
    private RunRequest _request = null!;
    private DeleteLimit _limit = new EngineOptions().DeleteLimit;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _bed = await PipelineBed.CreateAsync(servers, Ct);
        await _bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'card ' || i, i FROM generate_series(1, 100) i;
            """,
            Ct
        );
        _bed.StartInProcess();
        await _bed.CaughtUpAsync(Ct);
        _request = new RunRequest(RunKind.Full, [_bed.Entity("card")]);
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();

    [Fact]
    public async Task Exactly_the_drifting_keys_are_read_again_and_each_is_on_record()
    {
        await DamageAsync();
        var run = await CompareAsync();
        // Not of this run: it is none of the repair's business.
        await _bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0 WHERE id = 50", Ct);
        var plan = await Repair().PlanAsync(run, _request, Ct);
        Assert.Equal([("card", 2, 1)], plan.Counts);
        var repaired = await Repair().RunAsync(plan, Ct);
        Assert.Equal(
            ["7 differing repaired", "8 missing repaired", "9001 extra repaired"],
            repaired.Keys.OrderBy(k => k.Key).Select(k => $"{k.Key} {k.Kind} {k.Outcome}")
        );
        Assert.Equal(
            ["7|7.00", "8|8.00", "50|0.00"],
            await _bed.Engine.RowsAsync("SELECT id, points FROM loyalty_cards WHERE id IN (7, 8, 50, 9001) ORDER BY id", Ct)
        );
        Assert.Equal(
            ["7|differing|points|7.00|8.00", "8|missing|*|true|false", "9001|extra|*|false|true"],
            await _bed.Engine.RowsAsync(
                """
                SELECT key, kind, before->0->>'field', CASE WHEN kind = 'differing' THEN before->0->>'odoo' ELSE (before->0->>'odoo' IS NOT NULL)::text END,
                    CASE WHEN kind = 'differing' THEN before->0->>'engine' ELSE (before->0->>'engine' IS NOT NULL)::text END
                FROM cdc.reconcile_repairs WHERE run = 1 AND outcome = 'repaired' AND verified_lsn IS NOT NULL ORDER BY key
                """,
                Ct
            )
        );
        Assert.Equal(0, await _bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.drift WHERE resolved_at IS NULL", Ct));
        Assert.Equal(["{7,8,9001}"], await _bed.Engine.RowsAsync("SELECT keys FROM cdc.requests", Ct));
    }

    [Fact]
    public async Task What_the_second_look_finds_equal_is_left_alone()
    {
        await DamageAsync();
        var run = await CompareAsync();
        // Odoo has the row by now, and it came to the engine by itself.
        await _bed.Engine.ExecuteAsync("DELETE FROM loyalty_cards WHERE id = 9001", Ct);
        await _bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (9001, 1, 'late', 1)", Ct);
        await _bed.CaughtUpAsync(Ct);
        var repaired = await Repair().RunAsync(await Repair().PlanAsync(run, _request, Ct), Ct);
        Assert.Equal("gone", repaired.Keys.Single(k => k.Key == 9001).Outcome);
        Assert.Equal(["{7,8}"], await _bed.Engine.RowsAsync("SELECT keys FROM cdc.requests", Ct));
        Assert.Equal(0, await _bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.drift WHERE resolved_at IS NULL", Ct));
        await _bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task A_row_that_Odoo_got_between_the_second_look_and_the_reading_is_not_removed()
    {
        await DamageAsync();
        var plan = await Repair().PlanAsync(await CompareAsync(), _request, Ct);
        await _bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (9001, 1, 'late', 1)", Ct);
        var repaired = await Repair().RunAsync(plan, Ct);
        Assert.Equal((3, 0, 0), (repaired.Equal, repaired.Differing, repaired.Unknown));
        await _bed.CaughtUpAsync(Ct);
        await _bed.AssertEqualAsync(Ct);
        Assert.Equal(1, await _bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards WHERE id = 9001", Ct));
    }

    [Fact]
    public async Task More_removals_than_allowed_are_left_to_a_person_and_all_other_keys_are_repaired()
    {
        await DamageAsync();
        await _bed.Engine.ExecuteAsync(
            "INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) SELECT i, i, 1, 'x', 0 FROM generate_series(9002, 9020) i",
            Ct
        );
        _limit = new DeleteLimit(10, 10);
        // Of many the run keeps only some.
        var run = await new Reconciler(Servers, new ReconcileOptions { MaxDrift = 9 }).RunAsync(_request, Ct);
        var repaired = await Repair().RunAsync(await Repair().PlanAsync(run, _request, Ct), Ct);
        Assert.Equal([("7", "repaired"), ("8", "repaired")], repaired.Keys.Where(k => k.Key < 9000).Select(k => ($"{k.Key}", k.Outcome)));
        Assert.All(repaired.Keys.Where(k => k.Key > 9000), k => Assert.Equal("held", k.Outcome));
        Assert.Equal(("card", 20, 119), Assert.Single(repaired.Held.Select(h => (h.Entity, h.Deletes, h.Rows))));
        Assert.Contains("cdc snapshot card --allow-deletes", repaired.Held[0].Reason, StringComparison.Ordinal);
        Assert.Equal(7, repaired.Differing);
        Assert.Equal(20, await _bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards WHERE id > 9000", Ct));
    }

    [Fact]
    public async Task A_plan_alone_changes_nothing()
    {
        await DamageAsync();
        var plan = await Repair().PlanAsync(await CompareAsync(), _request, Ct);
        Assert.Equal((3, true), (plan.DryRun.Differing, plan.DryRun.DryRun));
        Assert.Equal(
            "0|0|3",
            Assert.Single(
                await _bed.Engine.RowsAsync(
                    "SELECT (SELECT count(*) FROM cdc.requests), (SELECT count(*) FROM cdc.reconcile_repairs), (SELECT count(DISTINCT key) FROM cdc.drift WHERE resolved_at IS NULL)",
                    Ct
                )
            )
        );
    }

    [Fact]
    public async Task A_row_that_breaks_a_rule_goes_to_quarantine_and_is_not_called_repaired()
    {
        await DamageAsync();
        var plan = await Repair().PlanAsync(await CompareAsync(), _request, Ct);
        await _bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = -1 WHERE id = 7", Ct);
        var repaired = await Repair().RunAsync(plan, Ct);
        Assert.Equal(("quarantined", 1), (repaired.Keys.Single(k => k.Key == 7).Outcome, repaired.Unknown));
        Assert.Equal("quarantined", await _bed.Engine.ScalarAsync<string>("SELECT outcome FROM cdc.reconcile_repairs WHERE key = 7", Ct));
        // It is on record there, with its reason.
        Assert.Equal(0, await _bed.Engine.ScalarAsync<long>("SELECT count(DISTINCT key) FROM cdc.drift WHERE resolved_at IS NULL", Ct));
    }

    [Fact]
    public async Task Only_one_repair_or_comparison_runs_at_a_time()
    {
        var plan = await Repair().PlanAsync(await CompareAsync(), _request, Ct);
        await using var other = new RunStore(await _bed.Engine.DataSource.OpenConnectionAsync(Ct));
        await other.LockAsync(TimeSpan.Zero, Ct);
        Assert.Equal(FailureKind.Refused, (await Assert.ThrowsAsync<CdcException>(() => Repair().RunAsync(plan, Ct))).Kind);
    }

    private ComparedServers Servers => new(_bed.Source.DataSource, _bed.Engine.DataSource, _bed.Gate(), _bed.Entities);

    private Repair Repair() => new(Servers, new KeyReads(_bed.Engine.ConnectionString, _bed.Log), new ReconcileOptions(), _limit);

    private Task<long> CompareAsync() => new Reconciler(Servers, new ReconcileOptions()).RunAsync(_request, Ct);

    private Task DamageAsync() =>
        _bed.Engine.ExecuteAsync(
            """
            UPDATE loyalty_cards SET points = points + 1 WHERE id = 7;
            DELETE FROM loyalty_cards WHERE id = 8;
            INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (9001, 9001, 1, 'nobody', 0);
            """,
            Ct
        );
}
