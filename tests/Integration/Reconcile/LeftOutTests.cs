using Cdc.Core.Failures;
using Cdc.Engine;
using Cdc.Host.Reconciling;
using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>A table that one server does not let be read is left out of a comparison, with its reason; the others are compared.</summary>
public sealed class LeftOutTests(TestServers servers)
{
    private const int Rows = 200;

    private static readonly string[] Both = ["card", "history"];

    private static CancellationToken Ct => ComparisonBed.Ct;

    [Theory]
    [InlineData("source", "ALTER TABLE loyalty_card RENAME TO elsewhere", "Odoo's public.loyalty_card cannot be read")]
    [InlineData("source", "ALTER TABLE loyalty_card DROP COLUMN code", "column \"code\" does not exist")]
    [InlineData("source", "ALTER TABLE loyalty_card DROP COLUMN program_id CASCADE", "column \"program_id\" does not exist")]
    [InlineData("engine", "ALTER TABLE loyalty_cards RENAME TO elsewhere", "The engine's public.loyalty_cards cannot be read")]
    [InlineData("engine", "ALTER TABLE loyalty_cards DROP COLUMN code", "(42703)")]
    public async Task Of_a_table_that_is_changed_on_one_side_nothing_is_said(string side, string change, string why)
    {
        await using var bed = await BedAsync();
        await (side == "source" ? bed.Source : bed.Engine).ExecuteAsync(change, Ct);
        AssertLeftOut(await bed.RunAsync(RunKind.Full, Both), why);
    }

    [Theory]
    [InlineData("REVOKE SELECT ON loyalty_card FROM {0}", "permission denied for table loyalty_card")]
    [InlineData(
        "REVOKE SELECT ON loyalty_card FROM {0}; GRANT SELECT (id, program_id, company_id) ON loyalty_card TO {0}",
        "permission denied"
    )]
    [InlineData("ALTER TABLE loyalty_card ENABLE ROW LEVEL SECURITY", "row-level security")]
    public async Task Of_a_table_that_the_role_may_not_read_nothing_is_said(string change, string why)
    {
        await using var bed = await BedAsync();
        await using var role = await ReaderRole.CreateAsync(bed.Source, null);
        await bed.Source.ExecuteAsync($"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role.Name}", Ct);
        // As every session of cdc has it.
        await using var connections = NpgsqlDataSource.Create(role.ConnectionString + ";Options=-c row_security=off");
        bed.Reader = connections;
        await bed.Source.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, change, role.Name), Ct);
        AssertLeftOut(await bed.RunAsync(RunKind.Full, Both), why);
    }

    [Theory]
    [InlineData("source", "loyalty_card")]
    [InlineData("engine", "loyalty_cards")]
    public async Task A_lock_that_is_held_for_long_leaves_its_table_out_and_names_who_holds_it(string side, string table)
    {
        await using var bed = await BedAsync();
        await using var holder = await (side == "source" ? bed.Source : bed.Engine).DataSource.OpenConnectionAsync(Ct);
        await using var transaction = await holder.BeginTransactionAsync(Ct);
        await using var command = new NpgsqlCommand($"LOCK TABLE {table}", holder);
        await command.ExecuteNonQueryAsync(Ct);
        AssertLeftOut(await bed.RunAsync(RunKind.Full, Both), $"is held by the session with pid {holder.ProcessID}");
    }

    [Fact]
    public async Task A_view_in_a_tables_place_makes_no_other_tables_money_differ()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync(
            "ALTER TABLE loyalty_card RENAME TO all_cards; CREATE VIEW loyalty_card AS SELECT * FROM all_cards WHERE id % 2 = 0",
            Ct
        );
        var report = await bed.ReconcileAsync(new RunRequest(RunKind.Full, bed.Entities.All), Ct);
        AssertLeftOut(report, "loyalty_card");
        Assert.Equal(50, report.Entities.Single(e => e.Entity == "history").Numbers.Compared);
        Assert.NotEmpty(report.Totals);
    }

    [Fact]
    public async Task A_parent_that_is_another_table_by_now_says_nothing_of_its_childrens_money()
    {
        await using var bed = await BedAsync();
        await bed.Engine.ExecuteAsync(
            $"UPDATE cdc.tables SET relation_oid = {await OidAsync(bed)}, relfilenode = 1, columns = '' WHERE entity = 'card'",
            Ct
        );
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET program_id = 77", Ct);
        var report = await bed.RunAsync(RunKind.Full, ["history"]);
        Assert.Equal("consistent", report.Run.Verdict);
        Assert.All(report.Totals, t => Assert.Equal((null, 0m), (t.Program, t.Difference)));
    }

    [Fact]
    public async Task Whether_rows_are_summed_by_their_parents_is_decided_once_for_all_slices()
    {
        await using var bed = await BedAsync();
        var small = new ReconcileOptions { SliceRows = 50 };
        var comparison = new EntityComparison(bed.Entities.Find("history")!, bed.Servers, small, withTotals: true);
        var slices = new List<ComparedSlice>();
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME TO elsewhere", Ct);
        await foreach (var slice in comparison.CompareAsync(KeySpan.Of(default), () => 10, Ct))
        {
            if (slices.Count == 0)
                await bed.Source.ExecuteAsync("ALTER TABLE elsewhere RENAME TO loyalty_card", Ct);
            slices.Add(slice);
        }
        Assert.True(slices.Count > 1, $"{slices.Count} slices");
        Assert.All(slices.SelectMany(s => s.Result.Totals), t => Assert.Null(t.Program));
    }

    [Fact]
    public async Task Odoos_contradictions_are_not_looked_for_in_a_table_that_is_left_out()
    {
        await using var bed = await BedAsync();
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME TO elsewhere", Ct);
        var report = await bed.RunAsync(RunKind.Full, [.. bed.Entities.All.Select(e => e.Name)], violations: true);
        AssertLeftOut(report, "'history-orphan-loyalty-card-id' was not looked for");
        Assert.Contains(report.Violations, v => v.Kind == "history-orphan-point-move-id");
    }

    [Fact]
    public async Task A_repair_leaves_the_keys_of_such_a_table_alone_and_has_those_of_the_others()
    {
        await using var bed = await BedAsync();
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards SET points = points + 1 WHERE id = 3; UPDATE point_history SET points_balance = points_balance + 1 WHERE id = 4",
            Ct
        );
        var drift = await bed.RunAsync(RunKind.Full, Both);
        Assert.Equal(2, drift.Total.Drift);
        await bed.Source.ExecuteAsync("ALTER TABLE loyalty_card RENAME TO elsewhere", Ct);
        var plan = await new Repair(
            bed.Servers,
            new KeyReads(bed.Engine.ConnectionString, NullLogger.Instance),
            bed.Options,
            new EngineOptions().DeleteLimit
        ).PlanAsync(drift.Run.Id, new RunRequest(RunKind.Full, [.. Both.Select(n => bed.Entities.Find(n)!)]), Ct);
        Assert.Equal([4L], plan.Rows["history"].Keys);
        Assert.Equal(("card", 3L, RepairedKey.LeftOut), plan.Others.Select(o => (o.Entity, o.Key, o.Outcome)).Single());
    }

    private async Task<ComparisonBed> BedAsync() =>
        await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(Rows) + ComparisonBed.History(Rows));

    private static Task<long> OidAsync(ComparisonBed bed) =>
        bed.Source.ScalarAsync<long>("SELECT 'loyalty_card'::regclass::oid::bigint", Ct);

    private static void AssertLeftOut(RunReport report, string why)
    {
        Assert.Equal(("done", "inconclusive"), (report.Run.State, report.Run.Verdict));
        Assert.Equal((int)FailureKind.Inconclusive, ReconcileOutcome.ExitCodeOf(report));
        Assert.Equal("stopped", report.Entities.Single(e => e.Entity == "card").State);
        Assert.Contains("card was not compared", report.Rows.Tables);
        Assert.Contains(why, report.Run.Detail, StringComparison.Ordinal);
        var history = report.Entities.Single(e => e.Entity == "history");
        Assert.Equal("compared", history.State);
        Assert.True(history.Numbers.Compared > 0);
        Assert.Equal(0, report.Total.Drift);
        Assert.All(report.Totals, t => Assert.Equal(0, t.Difference));
    }
}
