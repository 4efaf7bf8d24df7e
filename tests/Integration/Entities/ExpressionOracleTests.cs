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

    [Fact]
    public async Task Generated_expressions_give_what_PostgreSQL_gives_on_nasty_values()
    {
        var seed = TestSeed.Draw();
        await using var engine = await servers.Engine.CreateDatabaseAsync("oracle", ct: TestContext.Current.CancellationToken);
        var table = await OracleTable.CreateAsync(
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
            ("day", "date", SourceType.Date, NastyValues.Dates)
        );
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
        Assert.True(table.PlannedAway < table.Compared / 50, $"{table.PlannedAway} of {table.Compared} values fail in C# only");
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
