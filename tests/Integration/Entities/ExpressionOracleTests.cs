using Cdc.Core.Entities;
using Cdc.Expressions;
using Cdc.Expressions.Declaration;
using Cdc.Expressions.Rows;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Postgres;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cdc.Tests.Integration.Entities;

public sealed class ExpressionOracleTests(TestServers servers)
{
    private const int Expressions = 400;

    /// <summary>The random ones meet the rarest values rarely.</summary>
    private static readonly string[] Parts =
    [
        "figure::numeric",
        "figure::numeric(18,2)",
        "figure::float8",
        "figure::smallint",
        "figure::integer",
        "figure::bigint",
        "figure::boolean",
        "raw::jsonb",
        "raw::jsonb ->> 'a'",
        "raw::jsonb -> 'a'",
        "raw::jsonb = doc",
        "raw::jsonb IS DISTINCT FROM '{\"a\": 1.000}'",
        "doc",
        "doc::text",
        "doc ->> 'n'",
        "doc -> 'n'",
        "doc -> 'o'",
        "doc ->> 'o'",
        "doc -> 'o' -> 'n'",
        "doc -> 'o' ->> 'k'",
        "doc ->> ''",
        "doc ->> 's'",
        "doc ->> 'a\"b'",
        "doc ->> E'tab\\there\\\\'",
        "doc ->> 'é'",
        "doc ->> code",
        "doc ->> id2::text",
        "doc ->> NULL",
        "(doc ->> 'n')::numeric",
        "(doc ->> 'n')::float8",
        "(doc ->> 'b')::boolean",
        "(doc ->> 'i')::bigint",
        "coalesce(doc ->> 'id_ID', doc ->> 'en_US')",
        "coalesce(doc -> 'o', '{}')",
        "nullif(doc, '{\"n\": 1.1}')",
        "nullif(doc -> 'n', 'null')",
        "doc IN ('{}', '[]', '{\"n\": 1.1000}')",
        "doc <> '\"scalar\"'",
        "doc IS NULL",
        "nf::numeric",
        "n4::numeric",
        "nn::numeric",
        "ni::numeric",
        "round(nf::numeric, 2)",
        "round(n4::numeric, 2)",
        "round(nn::numeric, 2)",
        "round(ni::numeric, 2)",
        "round(coalesce(nn::numeric, 0), 2)",
        "nf::numeric::float8",
        "n4::numeric::float8",
        "nn::numeric::float8",
        "ni::numeric::float8",
        "nn IS NOT NULL AND nf IS NULL",
        "nn::numeric NOT IN ('NaN', 'Infinity', '-Infinity')",
        "round(coalesce(points, 0)::numeric, 2)",
        "round((coalesce(points, 0) - coalesce(p4, 0))::numeric, 2)",
        "(coalesce(p4, 0) - p4)::numeric",
        "(p4 + p4)::numeric",
        "(p4 * p4)::numeric",
        "p4 * p4",
        "p4 + 1",
        "(p4 + 0.1)::numeric",
        "(p4 - '0.5')::numeric",
        "points * points",
        "points + points",
        "coalesce(p4, 'NaN'::float8)::numeric",
        "(nullif(p4, 0))::numeric",
        "abs(-p4)::numeric",
        "(CASE WHEN active THEN p4 ELSE 0 END)::numeric",
        "greatest(p4, 0)::numeric",
        "greatest(p4, points)::numeric",
        "least(amount, 1.50, 1.5)",
        "greatest(points, 0)",
        "greatest(code COLLATE \"C\", name)",
        "least(at, '2026-11-21')",
        "greatest(active, NULL)",
        "id + 1",
        "id2 + id2",
        "id2 * id2",
        "id2 * id",
        "id8 * id8",
        "id8 - id",
        "-id",
        "abs(id2)",
        "-coalesce(id2, id2)",
        "id + '1'",
        "id + 0.50",
        "id * points",
        "id * p4",
        "amount + amount",
        "amount - 0.00500",
        "amount * amount",
        "amount * points",
        "id - 1 - 1 * 2 + 3",
        "id-1<-5 OR id*-1=-7",
        "doc->>'n'='12.5' OR doc->'o'->>'k' IS NOT NULL AND id+1>0",
        "- id * 2 + -3",
        "- - 2147483648 + id",
        "-9223372036854775808 + id8",
        "-(2147483648)::bigint",
    ];

    [Fact]
    public async Task Generated_expressions_give_what_PostgreSQL_gives_on_nasty_values()
    {
        var seed = TestSeed.Draw();
        await using var engine = await servers.Engine.CreateDatabaseAsync("oracle", ct: TestContext.Current.CancellationToken);
        var table = await TableAsync(engine, seed);
        var (compared, refused) = (0, 0);
        foreach (var expression in RandomExpression.Any.Sample(Expressions, new Rnd((ulong)seed, 1), 50))
        {
            try
            {
                table.Compiled(expression);
            }
            catch (ExpressionException)
            {
                // What differs between widths of columns or collations is refused: that is not a difference.
                refused++;
                continue;
            }
            Assert.True(await table.DifferenceAsync(expression) is var difference && difference is null, difference);
            compared++;
        }
        Assert.True(compared > Expressions * 3 / 4, $"only {compared} of {Expressions} expressions were compared, {refused} refused");
        Assert.True(table.PlannedAway < table.Compared / 50, $"{table.PlannedAway} of {table.Compared} values fail on one side only");
    }

    [Fact]
    public async Task Every_part_of_the_language_gives_what_PostgreSQL_gives_on_every_nasty_value()
    {
        await using var engine = await servers.Engine.CreateDatabaseAsync("parts", ct: TestContext.Current.CancellationToken);
        var table = await TableAsync(engine, TestSeed.Draw());
        var differences = new List<string>();
        foreach (var expression in Parts)
            if (await table.DifferenceAsync(expression) is { } difference)
                differences.Add(difference);
        Assert.True(differences.Count == 0, string.Join('\n', differences));
        Assert.Equal(0, table.PlannedAway);
    }

    [Fact]
    public async Task Every_declared_expression_and_rule_gives_what_PostgreSQL_gives_on_nasty_values()
    {
        foreach (var entity in EntityFile.Load(Path.Combine(AppContext.BaseDirectory, "schemas", "entities.json")).All)
        {
            await using var engine = await servers.Engine.CreateDatabaseAsync("declared", ct: TestContext.Current.CancellationToken);
            var table = await OracleTable.CreateAsync(
                engine,
                [.. entity.SourceColumns.Select(c => (c.Name, PostgresType(c.Type), c.Type, Values(c.Type)))]
            );
            var expressions = entity.Columns.Select(c => c.Value).Concat(RowTransform.Compile(entity).Rules.Select(r => r.Check));
            foreach (var expression in expressions)
                Assert.True(
                    await table.DifferenceAsync(expression) is var difference && difference is null,
                    $"{entity.Name}: {difference}"
                );
            Assert.Equal(0, table.PlannedAway);
        }
    }

    private static Task<OracleTable> TableAsync(TestDatabase engine, int seed) =>
        OracleTable.CreateAsync(
            engine,
            ("id", "int4", SourceType.Integer, NastyValues.Integers4),
            ("id8", "int8", SourceType.Integer, NastyValues.Integers8),
            ("id2", "int2", SourceType.Integer, NastyValues.Integers2),
            ("points", "float8", SourceType.Float, [.. NastyValues.Doubles(seed).Take(70)]),
            ("p4", "float4", SourceType.Float, NastyValues.Singles),
            ("amount", "numeric", SourceType.Numeric, NastyValues.Numerics),
            ("code", "varchar", SourceType.Text, NastyValues.Texts),
            ("name", "text", SourceType.Text, [.. NastyValues.Texts.Reverse()]),
            ("active", "bool", SourceType.Boolean, NastyValues.Booleans),
            ("at", "timestamp", SourceType.Timestamp, NastyValues.Timestamps),
            ("atz", "timestamptz", SourceType.TimestampTz, NastyValues.Timestamps),
            ("day", "date", SourceType.Date, NastyValues.Dates),
            ("doc", "jsonb", SourceType.Jsonb, NastyJson.Documents),
            ("raw", "text", SourceType.Text, NastyJson.Texts),
            ("figure", "varchar", SourceType.Text, NastyValues.Figures),
            ("nf", "float8", SourceType.Number, [.. NastyValues.Doubles(seed).Reverse().Take(60)]),
            ("n4", "float4", SourceType.Number, NastyValues.Singles),
            ("nn", "numeric", SourceType.Number, NastyValues.Numerics),
            ("ni", "int8", SourceType.Number, NastyValues.Integers8)
        );

    private static string PostgresType(SourceType type) =>
        type switch
        {
            SourceType.Integer => "int4",
            SourceType.Float => "float8",
            SourceType.Text => "varchar",
            SourceType.Boolean => "bool",
            SourceType.Timestamp => "timestamp",
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
        };

    private static string?[] Values(SourceType type) =>
        type switch
        {
            SourceType.Integer => NastyValues.Integers4,
            SourceType.Float => NastyValues.Doubles(20261121),
            SourceType.Text => NastyValues.Texts,
            SourceType.Boolean => NastyValues.Booleans,
            _ => NastyValues.Timestamps,
        };
}
