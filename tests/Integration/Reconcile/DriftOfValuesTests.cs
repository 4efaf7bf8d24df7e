using Cdc.Core.Entities;
using Cdc.Expressions.Declaration;
using Cdc.Reconcile.Comparing;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>The smallest differences of one value, each found with its field and both values.</summary>
public sealed class DriftOfValuesTests(TestServers servers)
{
    [Fact]
    public async Task Equal_sides_show_no_drift_though_types_scales_zones_and_letter_case_differ()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(5000) + ComparisonBed.History(5000));
        foreach (var entity in bed.Entities.All)
        {
            var compared = await bed.CompareAsync(entity.Name);
            Assert.Empty(compared.Differences);
            Assert.Equal((0, entity.Name is "card" or "history" ? 5000 : 0), (compared.Numbers.Drift, compared.Numbers.Compared));
        }
    }

    // A change of the first card, and what it must be found as.
    private static readonly (string Change, string[] Differences)[] Changes =
    [
        ("points = points + 0.01", ["points 79.19 79.20"]),
        ("points = -points", ["points 79.19 -79.19"]),
        ("points = 'NaN'", ["points 79.19 NaN"]),
        ("points = points + 42949672.96", ["points 79.19 42949752.15"]),
        ("created_at = created_at + interval '1 microsecond'", ["created_at 2024-01-01 00:00:01.000001+00 2024-01-01 00:00:01.000002+00"]),
        ("created_at = 'infinity'", ["created_at 2024-01-01 00:00:01.000001+00 infinity"]),
        ("updated_at = NULL", ["updated_at 2024-06-01 00:00:01+00 NULL"]),
        ("code = lower(code)", ["code C-1 c-1"]),
        ("code = code || ' '", ["code C-1 C-1 "]),
        ("code = ''", ["code C-1 "]),
        ("code = replace(code, 'C', 'С')", ["code C-1 С-1"]),
        ("partner_id = NULL", ["partner_id 1 NULL"]),
        ("partner_id = 0", ["partner_id 1 0"]),
        ("partner_id = 4294967297", ["partner_id 1 4294967297"]),
        ("partner_id = company_id, company_id = partner_id", ["company_id 2 1", "partner_id 1 2"]),
    ];

    [Fact]
    public async Task Each_changed_value_is_found_with_its_field_and_both_values()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(300));
        await bed.Engine.ExecuteAsync("CREATE TABLE kept AS SELECT * FROM loyalty_cards WHERE id = 1", ComparisonBed.Ct);
        foreach (var (change, differences) in Changes)
        {
            await bed.Engine.ExecuteAsync($"UPDATE loyalty_cards SET {change} WHERE id = 1", ComparisonBed.Ct);
            var compared = await bed.CompareAsync("card");
            Assert.Equal(differences.Select(d => "1 " + d), compared.Differences.Order());
            Assert.Equal((1, 1, 300), (compared.Numbers.Drift, compared.Numbers.Differing, compared.Numbers.Compared));
            await bed.Engine.ExecuteAsync(
                "DELETE FROM loyalty_cards WHERE id = 1; INSERT INTO loyalty_cards SELECT * FROM kept",
                ComparisonBed.Ct
            );
        }
    }

    // jsonb's own hash leaves out the sign and the decimals of numbers, and its operator = the decimals.
    private static readonly (string Change, string[] Differences)[] JsonChanges =
    [
        ("name = '{\"a\": 1.50}'", ["name {\"a\": 1.5} {\"a\": 1.50}"]),
        ("name = '{\"a\": -1.5}'", ["name {\"a\": 1.5} {\"a\": -1.5}"]),
        ("name = '{\"a\": \"1.5\"}'", ["name {\"a\": 1.5} {\"a\": \"1.5\"}"]),
        ("name = '{\"a\": 1.5, \"b\": null}'", ["name {\"a\": 1.5} {\"a\": 1.5, \"b\": null}"]),
        ("name = 'null'", ["name {\"a\": 1.5} null"]),
        ("name = NULL", ["name {\"a\": 1.5} NULL"]),
        ("points = points + 0.01", ["points 1.01 1.02"]),
        ("missing = 0.01", ["missing 0.00 0.01"]),
    ];

    [Fact]
    public async Task Jsonb_and_numbers_of_any_type_are_compared_exactly()
    {
        const string Declaration = """
            { "entities": [ { "name": "thing",
              "source": { "table": "thing", "key": "id", "columns": { "id": "int4", "name": "jsonb", "points": "number", "missing": "float8" } },
              "engine": { "table": "things", "key": "id", "columns": [ { "name": "name", "type": "jsonb", "value": "name" },
                { "name": "points", "type": "numeric(18,2)", "value": "round(points::numeric, 2)" },
                { "name": "missing", "type": "numeric(18,2)", "value": "round(coalesce(missing, 0)::numeric, 2)" } ] } } ] }
            """;
        const string EngineTable =
            "CREATE TABLE things (id bigint PRIMARY KEY, name jsonb, points numeric(18,2), missing numeric(18,2), source_generation integer NOT NULL DEFAULT 0, source_lsn pg_lsn NOT NULL DEFAULT '0/0', source_ordinal bigint NOT NULL DEFAULT 0, source_commit_at timestamptz)";
        foreach (var type in (string[])["float8", "float4", "numeric", "int8"])
        {
            await using var bed = await ComparisonBed.CreateAsync(
                servers,
                """
                INSERT INTO thing VALUES (1, '{"a": 1.5}', 1.01, NULL), (2, '{"a": 1e2, "a": "é\u0001"}', NULL, 0.005), (3, NULL, 7, -1.005), (4, '[]', -0.5, 1e13);
                """.Replace("1.01", type == "int8" ? "1" : "1.01", StringComparison.Ordinal),
                new OwnTables(
                    EntityFile.Parse(Declaration, "thing"),
                    $"CREATE TABLE thing (id int PRIMARY KEY, name jsonb, points {type}, missing float8)",
                    EngineTable
                )
            );
            Assert.Empty((await bed.CompareAsync("thing")).Differences);
            await bed.Engine.ExecuteAsync("CREATE TABLE kept AS SELECT * FROM things WHERE id = 1", ComparisonBed.Ct);
            foreach (var (change, differences) in JsonChanges)
            {
                await bed.Engine.ExecuteAsync($"UPDATE things SET {change} WHERE id = 1", ComparisonBed.Ct);
                Assert.Equal(
                    differences.Select(d => "1 " + (type == "int8" ? d.Replace("1.01 1.02", "1.00 1.01", StringComparison.Ordinal) : d)),
                    (await bed.CompareAsync("thing")).Differences
                );
                await bed.Engine.ExecuteAsync("DELETE FROM things WHERE id = 1; INSERT INTO things SELECT * FROM kept", ComparisonBed.Ct);
            }
        }
    }

    [Fact]
    public async Task NULL_and_empty_are_two_things()
    {
        await using var bed = await ComparisonBed.CreateAsync(
            servers,
            ComparisonBed.History(10)
                + "UPDATE loyalty_point_history SET origin = NULL WHERE id = 3; UPDATE loyalty_point_history SET origin = '' WHERE id = 4;"
        );
        Assert.Empty((await bed.CompareAsync("history")).Differences);
        await bed.Engine.ExecuteAsync(
            "UPDATE point_history SET origin = CASE WHEN id = 3 THEN '' END WHERE id IN (3, 4)",
            ComparisonBed.Ct
        );
        Assert.Equal(["3 origin NULL ", "4 origin  NULL"], (await bed.CompareAsync("history")).Differences);
    }

    [Fact]
    public async Task Rows_with_swapped_values_are_drift_of_each()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(300));
        await bed.Engine.ExecuteAsync(
            "UPDATE loyalty_cards t SET code = o.code FROM loyalty_cards o WHERE (t.id, o.id) IN ((5, 6), (6, 5), (1, 200), (200, 1))",
            ComparisonBed.Ct
        );
        Assert.Equal([1, 5, 6, 200], (await bed.CompareAsync("card")).Drift.Select(d => d.Key));
    }

    [Fact]
    public async Task Values_that_cannot_be_computed_are_drift_of_their_own_row_only()
    {
        await using var bed = await ComparisonBed.CreateAsync(servers, ComparisonBed.Cards(5000));
        // A rule sends them to quarantine, where they are not: that is drift.
        await bed.Source.ExecuteAsync(
            "UPDATE loyalty_card SET points = 'NaN' WHERE id = 17; UPDATE loyalty_card SET points = 1e300 WHERE id = 4000; UPDATE loyalty_card SET points = '-Infinity' WHERE id = 4001",
            ComparisonBed.Ct
        );
        var compared = await bed.CompareAsync("card");
        Assert.Equal(new long[] { 17, 4000, 4001 }, compared.Drift.Select(d => d.Key));
        Assert.All(compared.Drift, d => Assert.Equal("points", d.Field));
        Assert.Equal((3, 5000), (compared.Numbers.Drift, compared.Numbers.Compared));
    }

    [Fact]
    public async Task Money_in_doubles_is_rounded_as_PostgreSQL_rounds_doubles()
    {
        await using var source = await servers.CreateOdooAsync("cmp", ComparisonBed.Ct);
        var amount = EntityFile
            .Load(SourceTree.PathOf("schemas/entities.json"))
            .Find("history")!
            .Columns.Single(c => c.Name == "points_amount");
        var column = CanonicalColumn.Of(amount, new Dictionary<string, uint> { [amount.Name] = 701 });
        // Cents and thousandths, ties among them, 49 and 51 hundredths of a cent, thirds and sevenths, up to ten million millions, each also
        // a few last bits off.
        Assert.Equal(
            ["90000|0"],
            await source.RowsAsync(
                $"""
                SELECT count(*), count(*) FILTER (WHERE {column.SourceForm} <> (round(points_amount::numeric, 2) * 100)::bigint) FROM (
                    SELECT (g * 7919::bigint % 1000003 - 500000)::float8 / (ARRAY[100, 1000, 10000, 300, 7])[1 + g % 5]
                        * power(10::float8, g / 5 % 9) * (1 + (g / 45 % 7 - 3) * 2.220446049250313e-16::float8) AS points_amount FROM generate_series(1, 90000) g) doubles
                """,
                ComparisonBed.Ct
            )
        );
    }

    [Fact]
    public async Task Money_in_float4_is_rounded_as_PostgreSQL_rounds_float4()
    {
        await using var bed = await ComparisonBed.CreateAsync(
            servers,
            "ALTER TABLE loyalty_card ALTER points TYPE real; "
                + ComparisonBed.Cards(2000)
                + "UPDATE loyalty_card SET points = 1234567.25 WHERE id = 5;"
        );
        Assert.Equal(
            "1234570.00",
            (await bed.Engine.RowsAsync("SELECT points FROM loyalty_cards WHERE id = 5", ComparisonBed.Ct)).Single()
        );
        Assert.Empty((await bed.CompareAsync("card")).Differences);
    }
}
