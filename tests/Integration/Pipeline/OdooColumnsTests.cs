using Cdc.Expressions.Declaration;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>Columns as Odoo 16 to 20 has them: translated names, values by company, floats that get digits, points that are NULL.</summary>
public sealed class OdooColumnsTests(TestServers servers, TestKafka kafka)
{
    private const string Declaration = """
        { "entities": [ {
          "name": "thing",
          "source": { "table": "public.thing", "key": "id", "columns": {
            "id": "int4", "company_id": "int4", "name": "jsonb", "point_name": "jsonb", "standard_price": "jsonb", "properties": "jsonb", "points": "number" } },
          "engine": { "table": "public.things", "key": "id", "columns": [
            { "name": "name", "type": "text", "value": "coalesce(name ->> 'id_ID', name ->> 'en_US')", "notNull": true },
            { "name": "point_name", "type": "varchar(20)", "value": "coalesce(point_name ->> 'id_ID', point_name ->> 'en_US', 'Points')" },
            { "name": "price", "type": "numeric(18,2)", "value": "round((standard_price ->> company_id::text)::numeric, 2)" },
            { "name": "is_new", "type": "boolean", "value": "(properties ->> 'new')::boolean" },
            { "name": "rank", "type": "integer", "value": "(properties ->> 'rank')::integer" },
            { "name": "weight", "type": "double precision", "value": "(properties ->> 'weight')::float8" },
            { "name": "properties", "type": "jsonb", "value": "properties" },
            { "name": "inner_part", "type": "jsonb", "value": "properties -> 'inner'" },
            { "name": "points", "type": "numeric(18,2)", "value": "round(coalesce(points::numeric, 0), 2)", "notNull": true } ] },
          "rules": [ { "name": "points-not-finite", "check": "points::numeric NOT IN ('NaN', 'Infinity', '-Infinity')", "message": "points is NaN or infinite" } ],
        } ] }
        """;

    private const string SourceTable =
        "CREATE TABLE thing (id serial PRIMARY KEY, company_id int4, name jsonb, point_name jsonb, standard_price jsonb, properties jsonb, points double precision)";

    private const string EngineTable = """
        CREATE TABLE things (id bigint PRIMARY KEY, name text NOT NULL, point_name varchar(20), price numeric(18,2), is_new boolean, rank integer, weight double precision,
            properties jsonb, inner_part jsonb, points numeric(18,2) NOT NULL, source_generation integer NOT NULL, source_lsn pg_lsn NOT NULL, source_ordinal bigint NOT NULL, source_commit_at timestamptz)
        """;

    private const string Rows = """
        INSERT INTO thing (id, company_id, name, point_name, standard_price, properties, points) VALUES
            (1, 3, '{"en_US": "CDC Points", "id_ID": "Poin CDC"}', '{"en_US": "Points"}', '{"3": 12.5, "1": 7}', '{"inner": {"b": 1.10, "a": [1e2, null]}, "new": "yes", "rank": "7", "weight": 1.5}', 0.005),
            (2, 1, '{"en_US": "10% Discount", "fr_FR": "Bon de réduction de 10%"}', NULL, '{"3": 12.5}', '{}', NULL),
            (3, NULL, '{"en_US": "tab\t\"quoted\" \u00e9 \ud83d\ude00"}', '{"id_ID": null}', '{"3": 12.5}', NULL, 1e15),
            -- Numbers as text; a key that is there twice; properties that are no object.
            (4, 3, '{"en_US": "first", "en_US": "second"}', '{"en_US": 5}', '{"3": " 0012.505 "}', '[1, {"inner": 2}]', -1.5),
            (5, 3, '{"en_US": "x"}', '"Points"', 'null', '"text"', 2.675);
        """;

    /// <summary>What goes to quarantine: a name that is no object, without a language, or null; what is no number, truth or integer.</summary>
    private const string Broken = """
        INSERT INTO thing (id, company_id, name, standard_price, properties, points) VALUES
            (11, 3, '"Points"', NULL, NULL, 1), (12, 3, '["en_US"]', NULL, NULL, 1), (13, 3, '{"fr_FR": "Points"}', NULL, NULL, 1),
            (14, 3, '{"en_US": null}', NULL, NULL, 1), (15, 3, 'null', NULL, NULL, 1), (16, 3, NULL, NULL, NULL, 1),
            (17, 3, '{"en_US": "x"}', '{"3": "twelve"}', NULL, 1), (18, 3, '{"en_US": "x"}', '{"3": {"amount": 1}}', NULL, 1), (19, 3, '{"en_US": "x"}', '{"3": 1e20}', NULL, 1),
            (20, 3, '{"en_US": "x"}', NULL, '{"new": "perhaps"}', 1), (21, 3, '{"en_US": "x"}', NULL, '{"rank": 1.5}', 1),
            (22, 3, '{"en_US": "x"}', NULL, '{"weight": 1e400}', 1), (23, 3, '{"en_US": "x"}', NULL, NULL, 'NaN');
        """;

    private static readonly string[] Reasons =
    [
        .. Enumerable.Range(11, 6).Select(key => $"thing|{key}|name-null"),
        "thing|17|price-not-computable",
        "thing|18|price-not-computable",
        "thing|19|price-too-large",
        "thing|20|is-new-not-computable",
        "thing|21|rank-not-computable",
        "thing|22|weight-not-computable",
        "thing|23|points-not-finite",
    ];

    private const string Shown =
        "SELECT id, name, point_name, price, is_new, rank, weight, properties, inner_part, points FROM things WHERE id <= 5 ORDER BY id";

    private static readonly string[] Expected =
    [
        """1|Poin CDC|Points|12.50|t|7|1.5|{"new": "yes", "rank": "7", "inner": {"a": [100, null], "b": 1.10}, "weight": 1.5}|{"a": [100, null], "b": 1.10}|0.01""",
        "2|10% Discount|Points|NULL|NULL|NULL|NULL|{}|NULL|0.00",
        "3|tab\t\"quoted\" é 😀|Points|NULL|NULL|NULL|NULL|NULL|NULL|1000000000000000.00",
        """4|second|5|12.51|NULL|NULL|NULL|[1, {"inner": 2}]|NULL|-1.50""",
        "5|x|Points|NULL|NULL|NULL|NULL|\"text\"|NULL|2.68",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task Translated_names_and_values_by_company_arrive_and_what_is_neither_is_held(bool loaded, bool overKafka)
    {
        await using var started = await StartedAsync(overKafka, loaded ? Rows + Broken : "");
        var bed = started.Bed;
        if (!loaded)
            await bed.Source.ExecuteAsync(Rows + Broken, Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(Expected, await bed.Engine.RowsAsync(Shown, "NULL", Ct));
        Assert.Equal(Reasons, await bed.EntriesAsync(Ct));

        // A language is installed: every row twice in one transaction; values are corrected, a large one is left unsaid.
        await bed.Source.ExecuteAsync(
            """
            BEGIN; UPDATE thing SET name = name || '{"id_ID": "baru"}' WHERE jsonb_typeof(name) = 'object'; UPDATE thing SET name = name || '{"de_DE": "neu"}' WHERE jsonb_typeof(name) = 'object'; COMMIT;
            UPDATE thing SET properties = jsonb_build_object('inner', (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 500) n)) WHERE id = 1;
            UPDATE thing SET points = 3 WHERE id = 1; UPDATE thing SET standard_price = '{"3": "12"}' WHERE id IN (17, 18);
            DELETE FROM thing WHERE id IN (11, 12, 15, 16, 19, 20, 21, 22, 23);
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.NoneQuarantinedAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal("1|baru|3.00", Assert.Single(await bed.Engine.RowsAsync("SELECT id, name, points FROM things WHERE id = 1", Ct)));
    }

    [Theory]
    [InlineData("ALTER TABLE thing ALTER COLUMN points TYPE numeric USING points::numeric", false)]
    [InlineData("ALTER TABLE thing ALTER COLUMN points TYPE numeric USING points::numeric", true)]
    [InlineData("ALTER TABLE thing ALTER COLUMN points TYPE real", false)]
    [InlineData("ALTER TABLE thing ALTER COLUMN points TYPE bigint USING points * 2", true)]
    public async Task A_float_that_gets_digits_while_it_is_followed_goes_on_as_a_number(string change, bool overKafka)
    {
        await using var started = await StartedAsync(
            overKafka,
            "INSERT INTO thing (name, points) SELECT '{\"en_US\": \"n\"}', n / 8.0 FROM generate_series(0, 50) n"
        );
        var bed = started.Bed;
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync(
            $"UPDATE thing SET points = 5.005 WHERE id = 1; {change}; UPDATE thing SET points = 0 WHERE id = 2; INSERT INTO thing (name, points) VALUES ('{{\"en_US\": \"new\"}}', 1235), ('{{\"en_US\": \"null\"}}', NULL)",
            Ct
        );
        await bed.EqualByItselfAsync(Ct);
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.quarantine", Ct));
        await bed.Source.ExecuteAsync("UPDATE thing SET points = points + 1 WHERE id % 2 = 0", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    private async Task<EitherLogBed> StartedAsync(bool overKafka, string rows)
    {
        var either = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct);
        var bed = either.Bed;
        bed.Entities = EntityFile.Parse(Declaration, "thing");
        await bed.Source.ExecuteAsync(SourceTable + ";" + rows, Ct);
        await bed.Engine.ExecuteAsync(EngineTable, Ct);
        either.UseAvro();
        either.Start();
        await bed.CaughtUpAsync(Ct);
        return either;
    }
}
