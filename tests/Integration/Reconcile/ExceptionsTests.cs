using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>What is no drift is a number of its own, and hides nothing beside it.</summary>
public sealed class ExceptionsTests(TestServers servers)
{
    private static CancellationToken Ct => ComparisonBed.Ct;

    [Fact]
    public async Task Keys_in_flight_are_counted_apart_and_only_they()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(5000));
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards SET points = 0 WHERE id IN (100, 200); DELETE FROM loyalty_cards WHERE id = 300",
            Ct
        );
        bed.Fence.InFlight = _ => new InFlightKeys(false, new HashSet<long> { 100, 300, 6000 });
        var compared = await bed.CompareAsync("card");
        Assert.Equal((3, 4998, 1), (compared.Numbers.InFlight, compared.Numbers.Compared, compared.Numbers.Drift));
        Assert.Equal([200], compared.Drift.Select(d => d.Key));
    }

    [Fact]
    public async Task A_run_looks_at_keys_in_flight_once_more_so_that_it_has_compared_all()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(5000));
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0 WHERE id = 200; DELETE FROM loyalty_cards WHERE id = 300", Ct);
        bed.Fence.InFlight = _ =>
            bed.Fence.Opened switch
            {
                1 => new InFlightKeys(false, new HashSet<long> { 100, 200, 300, 6000 }),
                2 => new InFlightKeys(false, new HashSet<long> { 300 }),
                _ => InFlightKeys.None,
            };
        var report = await bed.RunAsync(RunKind.Full, ["card"]);
        Assert.Equal(("drift", 0L, 5000L), (report.Run.Verdict, report.Total.InFlight, report.Total.Compared));
        Assert.Equal((1L, 1L), (report.Total.Missing, report.Total.Differing));
        Assert.Equal((5000L, 4999L), (report.Total.SourceRows, report.Total.EngineRows));
        Assert.Equal([200, 300], report.Drift.Select(d => d.Key).Distinct());
    }

    [Fact]
    public async Task Drift_of_a_row_that_went_to_quarantine_is_closed()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100));
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0 WHERE id IN (5, 6)", Ct);
        Assert.Equal(2, (await bed.RunAsync(RunKind.Full, ["card"])).Total.Drift);
        await bed.Engine.ExecuteAsync(
            "INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at) VALUES ('card', 5, 1, '0/1', 0, 'x', '', now())",
            Ct
        );
        Assert.Equal(1, (await bed.RunAsync(RunKind.Full, ["card"])).Total.Drift);
        Assert.Equal(["6"], await bed.Engine.RowsAsync("SELECT DISTINCT key FROM cdc.drift WHERE resolved_at IS NULL", Ct));
        Assert.Equal(
            1m,
            await bed.Engine.ScalarAsync<decimal>("SELECT drift::numeric FROM cdc.reconcile_standing WHERE entity = 'card'", Ct)
        );
    }

    [Fact]
    public async Task Totals_leave_out_what_the_rows_leave_out_of_a_parent_too()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100) + ComparisonBed.History(100));
        await bed.Engine.ExecuteAsync(
            """
            DELETE FROM loyalty_cards WHERE id IN (5, 7) OR id BETWEEN 50 AND 59;
            INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at) VALUES ('card', 5, 1, '0/1', 0, 'x', '', now());
            INSERT INTO cdc.rereads (entity, key, generation, lsn, ordinal) VALUES ('card', 7, 1, '0/1', 0);
            INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key, state) VALUES ('card', 1, 'load', 50, 60, 'pending')
            """,
            Ct
        );
        var report = await bed.RunAsync(RunKind.Full, ["card", "history"]);
        Assert.Equal(0, report.Total.Drift);
        Assert.NotEmpty(report.Totals);
        Assert.All(report.Totals, t => Assert.Equal(0, t.Difference));
    }

    [Fact]
    public async Task A_truncate_in_flight_is_looked_at_again()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(10));
        bed.Fence.InFlight = _ => bed.Fence.Opened < 3 ? new InFlightKeys(true, new HashSet<long>()) : InFlightKeys.None;
        Assert.Equal(10, (await bed.CompareAsync("card")).Numbers.Compared);
        Assert.Equal(3, bed.Fence.Opened);
    }

    [Fact]
    public async Task Rows_in_quarantine_and_rows_with_holes_are_named_as_such()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(5000));
        // The first two break rules so thoroughly that the declaration cannot be computed for them.
        await bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = 'NaN' WHERE id = 1; UPDATE loyalty_card SET points = 'Infinity' WHERE id = 2; UPDATE loyalty_card SET points = 0 WHERE id IN (3, 4, 5)",
            Ct
        );
        await bed.Engine.ExecuteAsync(
            """
            INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at)
            SELECT e, k, 1, '0/1', 0, 'points-not-finite', '', now() FROM unnest(ARRAY['card', 'card', 'card', 'history'], ARRAY[1, 2, 3, 5]) q(e, k);
            INSERT INTO cdc.rereads (entity, key, generation, lsn, ordinal) VALUES ('card', 3, 1, '0/1', 0), ('card', 4, 1, '0/1', 0)
            """,
            Ct
        );
        var numbers = (await bed.CompareAsync("card")).Numbers;
        Assert.Equal((3, 1, 4996, 1), (numbers.Quarantined, numbers.Holes, numbers.Compared, numbers.Drift));
    }

    [Fact]
    public async Task Ranges_that_are_loading_are_left_out_and_their_neighbours_are_not()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(5000));
        await bed.Engine.ExecuteAsync(
            """
            DELETE FROM loyalty_cards WHERE id >= 4000 OR id BETWEEN 1000 AND 1999;
            INSERT INTO cdc.chunks (entity, generation, kind, from_key, to_key, state) VALUES
                ('card', 1, 'load', 1000, 2000, 'pending'), ('card', 1, 'load', 4001, NULL, 'pending'), ('card', 1, 'load', 1, 1000, 'done'),
                ('card', 1, 'snapshot', 2000, 3000, 'pending'), ('history', 1, 'load', NULL, NULL, 'pending');
            INSERT INTO cdc.quarantine (entity, key, generation, lsn, ordinal, reason, detail, commit_at) VALUES ('card', 1500, 1, '0/1', 0, 'x', '', now())
            """,
            Ct
        );
        var compared = await bed.CompareAsync("card");
        Assert.Equal((2000, 3000, 0), (compared.Numbers.Loading, compared.Numbers.Compared, compared.Numbers.Quarantined));
        Assert.Equal([4000], compared.Drift.Select(d => d.Key));
    }

    [Fact]
    public async Task A_table_that_is_not_read_yet_is_loading()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(10));
        await bed.Engine.ExecuteAsync("UPDATE cdc.tables SET state = 'loading' WHERE entity = 'card'; DELETE FROM loyalty_cards", Ct);
        var loading = (await bed.CompareAsync("card")).Numbers;
        Assert.Equal((10, 0, 0), (loading.Loading, loading.Compared, loading.Drift));
        Assert.Null(loading.Rate);
    }

    [Fact]
    public async Task A_source_role_that_can_only_read_is_enough()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100));
        await using var role = await ReaderRole.CreateAsync(bed.Source, null);
        await bed.Source.ExecuteAsync(
            $"""
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role.Name}; REVOKE TEMPORARY ON DATABASE "{bed.Source.Name}" FROM PUBLIC;
            ALTER ROLE {role.Name} SET default_transaction_read_only = on
            """,
            Ct
        );
        await using var connections = NpgsqlDataSource.Create(role.ConnectionString);
        bed.Reader = connections;
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = 1e300 WHERE id = 5", Ct);
        var numbers = (await bed.CompareAsync("card")).Numbers;
        Assert.Equal((100, 1), (numbers.Compared, numbers.Drift));
    }
}
