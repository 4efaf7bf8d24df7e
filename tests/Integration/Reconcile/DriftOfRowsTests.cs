using Cdc.Core.Snapshots;
using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>Rows that one side has not, wherever their keys are.</summary>
public sealed class DriftOfRowsTests(TestServers servers)
{
    private static CancellationToken Ct => ComparisonBed.Ct;

    [Fact]
    public async Task Missing_and_extra_rows_are_named_with_their_values()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100));
        await bed.Engine.ExecuteAsync("DELETE FROM loyalty_cards WHERE id = 7", Ct);
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_card WHERE id = 8", Ct);
        var compared = await bed.CompareAsync("card");
        Assert.Equal(
            (100, 1, 1, 0),
            (compared.Numbers.Compared, compared.Numbers.Missing, compared.Numbers.Extra, compared.Numbers.Differing)
        );
        Assert.Equal([(7, DriftKind.Missing), (8, DriftKind.Extra)], compared.Drift.Select(d => (d.Key, d.Kind)));
        Assert.Contains("\"points\":\"554.33\"", compared.Drift[0].OdooValue, StringComparison.Ordinal);
        Assert.Null(compared.Drift[0].EngineValue);
    }

    [Fact]
    public async Task A_row_below_between_or_above_all_others_is_found_on_either_side()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(4095));
        foreach (long key in new[] { -2147483648, -1, 0, 4096, 1_000_000_000, 2147483647 })
        {
            await bed.Engine.ExecuteAsync(
                $"INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES ({key}, {key}, 1, 'X', 1)",
                Ct
            );
            Assert.Equal([(key, DriftKind.Extra)], (await bed.CompareAsync("card")).Drift.Select(d => (d.Key, d.Kind)));
            await bed.Source.ExecuteAsync($"INSERT INTO loyalty_card (id, program_id, code, points) VALUES ({key}, 1, 'x{key}', 1)", Ct);
            await bed.Engine.ExecuteAsync($"DELETE FROM loyalty_cards WHERE id = {key}", Ct);
            Assert.Equal([(key, DriftKind.Missing)], (await bed.CompareAsync("card")).Drift.Select(d => (d.Key, d.Kind)));
            await bed.Source.ExecuteAsync($"DELETE FROM loyalty_card WHERE id = {key}", Ct);
        }
    }

    [Fact]
    public async Task Every_row_is_in_exactly_one_slice_and_drift_at_its_borders_is_found_once()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(20_000));
        bed.Options = new ReconcileOptions { SliceRows = 4096, SliceTime = TimeSpan.FromDays(1) };
        var slices = (await bed.CompareAsync("card")).Slices;
        Assert.True(slices.Count > 2);
        Assert.Equal(KeySpan.Lowest, slices[0].Span.Low);
        Assert.Equal(KeySpan.Highest, slices[^1].Span.High);
        Assert.All(slices.Zip(slices.Skip(1)), pair => Assert.Equal(pair.First.Span.High, pair.Second.Span.Low));
        long[] borders = [.. slices.Skip(1).SelectMany(s => new[] { s.Span.Low - 1, s.Span.Low })];
        await bed.Engine.ExecuteAsync($"DELETE FROM loyalty_cards WHERE id IN ({string.Join(',', borders)})", Ct);
        var compared = await bed.CompareAsync("card");
        Assert.Equal(borders, compared.Drift.Select(d => d.Key));
        Assert.Equal(20_000, compared.Numbers.Compared);
    }

    [Fact]
    public async Task Gaps_of_a_billion_between_rows_and_between_crowds_cost_few_fences()
    {
        await using var bed = await ComparisonBed.CreateAsync(
            servers,
            ComparisonBed.Cards(3000)
                + "UPDATE loyalty_card SET id = id + 1000000000 WHERE id > 1000; UPDATE loyalty_card SET id = id + 1000000000 WHERE id > 1000002000; UPDATE loyalty_card SET id = id - 1000000000 WHERE id < 500;"
        );
        Assert.Equal((3000, 0), (await Numbers(bed)));
        Assert.InRange(bed.Fence.Opened, 1, 12);
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards SET points = points + 1 WHERE id IN (-999999999, 1000, 1000001001, 2000003000)",
            Ct
        );
        Assert.Equal([-999999999, 1000, 1000001001, 2000003000], (await bed.CompareAsync("card")).Drift.Select(d => d.Key));
    }

    [Fact]
    public async Task Empty_tables_and_single_rows()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers);
        Assert.Equal((0, 0), await Numbers(bed));
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_card (id, program_id, code, points) VALUES (1, 1, 'x', 1)", Ct);
        Assert.Equal((1, 1), await Numbers(bed));
        await bed.Engine.ExecuteAsync(
            "INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (1, 1, 1, 'X', 1)",
            Ct
        );
        Assert.Equal((1, 0), await Numbers(bed));
        await bed.Source.ExecuteAsync("DELETE FROM loyalty_card", Ct);
        Assert.Equal((1, 1), await Numbers(bed));
    }

    [Fact]
    public async Task Equal_rows_that_both_stand_twice_too_often_do_not_cancel_out()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.History(1000));
        // Everything but the key is the same: a XOR of row hashes without keys would not see two of them.
        await bed.Engine.ExecuteAsync(
            "INSERT INTO point_history (id, odoo_history_id, loyalty_card_id, points_amount) VALUES (2001, 2001, 5, 1), (2002, 2002, 5, 1)",
            Ct
        );
        Assert.Equal(2, (await bed.CompareAsync("history")).Numbers.Extra);
    }

    [Fact]
    public async Task Rows_born_in_the_engine_are_not_compared()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(10));
        await bed.Engine.ExecuteAsync(
            "INSERT INTO loyalty_cards (program_id, code, points) SELECT 1, 'NEW', 0 FROM generate_series(1, 100)",
            Ct
        );
        Assert.Equal((10, 0), await Numbers(bed));
    }

    [Fact]
    public async Task A_range_looks_at_its_own_keys_only()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(100));
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = 0 WHERE id IN (9, 10, 19, 20)", Ct);
        var compared = await bed.CompareAsync("card", new KeyRange(10, 20));
        Assert.Equal(10, compared.Numbers.Compared);
        Assert.Equal([10, 19], compared.Drift.Select(d => d.Key));
    }

    [Fact]
    public async Task A_window_of_time_compares_rows_with_any_date_in_it_and_finds_a_date_that_left_it()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.History(2000));
        var since = new DateTimeOffset(2024, 1, 2, 0, 0, 0, TimeSpan.Zero);
        await bed.Engine.ExecuteAsync(
            "UPDATE point_history SET points_amount = 0 WHERE id IN (1439, 1440); UPDATE point_history SET transaction_time = '2020-01-01', created_at = '2020-01-01' WHERE id = 1500",
            Ct
        );
        var compared = await bed.CompareAsync("history", since: since);
        Assert.Equal(561, compared.Numbers.Compared);
        Assert.Equal(
            ["1440 points_amount", "1500 created_at", "1500 transaction_time"],
            compared.Drift.Select(d => $"{d.Key} {d.Field}").Order()
        );
        Assert.Equal(2, compared.Numbers.Drift);
    }

    [Fact]
    public async Task Full_drift_is_counted_to_the_last_row_and_listed_up_to_the_bound()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(30_000));
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 1", Ct);
        var compared = await bed.CompareAsync("card", maxDrift: 100);
        Assert.Equal((30_000, 30_000), (compared.Numbers.Compared, compared.Numbers.Differing));
        Assert.Equal((100, 29_900), (compared.Drift.Count, compared.Unlisted));
        Assert.Equal(0.0, compared.Numbers.Rate);
    }

    private static async Task<(long Compared, long Drift)> Numbers(ComparisonBed bed)
    {
        var numbers = (await bed.CompareAsync("card")).Numbers;
        return (numbers.Compared, numbers.Drift);
    }

    [Fact]
    public async Task Slices_that_are_worth_compiling_show_the_same_drift()
    {
        // Wide apart, which the planner does not know: a slice is taken for a million rows.
        await using var bed = await ComparisonBed.CreateAsync(
            servers,
            ComparisonBed.Cards(3000) + "UPDATE loyalty_card SET id = 1000000 + id * 300;"
        );
        bed.Options = new ReconcileOptions { SliceRows = 1 << 20 };
        Assert.Empty((await bed.CompareAsync("card")).Drift);
        await bed.Engine.ExecuteAsync(
            "DELETE FROM loyalty_cards WHERE id = 1000600; UPDATE loyalty_cards SET points = points + 0.01 WHERE id = 1300000",
            ComparisonBed.Ct
        );
        Assert.Equal([1_000_600, 1_300_000], (await bed.CompareAsync("card")).Drift.Select(d => d.Key));
    }
}
