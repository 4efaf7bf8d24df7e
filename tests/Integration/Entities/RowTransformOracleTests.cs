using System.Buffers.Binary;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Expressions.Declaration;
using Cdc.Expressions.Rows;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Entities;

public sealed class RowTransformOracleTests(TestServers servers)
{
    public static TheoryData<string> Names => ["card", "move", "history", "program"];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Rows_that_pass_arrive_by_binary_COPY_as_PostgreSQL_computes_them_and_the_others_are_those_its_rules_refuse(
        string name
    )
    {
        var entity = EntityFile.Load(Path.Combine(AppContext.BaseDirectory, "schemas", "entities.json")).Find(name)!;
        var transform = RowTransform.Compile(entity);
        await using var engine = await servers.Engine.CreateDatabaseAsync("transform", ct: TestContext.Current.CancellationToken);
        var seed = TestSeed.Draw();
        await OracleTable.CreateAsync(
            engine,
            [.. entity.SourceColumns.Select(c => (c.Name, PostgresType(c.Type), c.Type, Values(c, seed)))]
        );
        await using var connection = await engine.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken);

        var (passed, broken) = await TransformAsync(transform, connection);

        var rules = string.Join(" AND ", transform.Rules.Select(r => $"({r.Check}) IS NOT FALSE"));
        Assert.Equal(
            await engine.RowsAsync($"SELECT n FROM nasty WHERE NOT ({rules}) ORDER BY n", "NULL", TestContext.Current.CancellationToken),
            broken.Select(n => $"{n}")
        );
        Assert.True(passed > 5, $"only {passed} rows passed: the values test nothing");
        var wanted = string.Join(", ", entity.Columns.Select(c => $"({c.Value})::{c.Type}::text"));
        var actual = string.Join(", ", entity.Columns.Select(c => $"{Sql.Identifier(c.Name)}::text"));
        var expected = await engine.RowsAsync(
            $"SELECT {wanted} FROM nasty WHERE {rules} ORDER BY n",
            "NULL",
            TestContext.Current.CancellationToken
        );
        Assert.Equal(
            expected,
            await engine.RowsAsync($"SELECT {actual} FROM transformed ORDER BY place", "NULL", TestContext.Current.CancellationToken)
        );
    }

    private static async Task<(int Passed, List<int> Broken)> TransformAsync(RowTransform transform, NpgsqlConnection connection)
    {
        var entity = transform.Entity;
        var images = await CopiedTable.ReadAsync(
            connection,
            $"SELECT {string.Join(", ", entity.SourceColumns.Select(c => Sql.Identifier(c.Name)))} FROM nasty ORDER BY n"
        );
        var schema = await CopiedTable.SchemaAsync(connection, "nasty", entity.SourceColumns);
        var row = new SourceRow(entity.SourceColumns.Count);
        var buffer = new CopyBuffer();
        var broken = new List<int>();
        for (var n = 0; n < images.Count; n++)
        {
            row.Read(images[n], schema);
            Assert.Equal(0UL, transform.Check(row).Unknown);
            if (transform.Check(row).IsBroken)
            {
                broken.Add(n);
                Assert.NotEqual("", transform.Describe(transform.Check(row)).Reason);
                continue;
            }
            buffer.WriteInt16((short)(entity.Columns.Count + 1));
            buffer.WriteInt32Field(n);
            transform.WriteColumns(row, buffer);
        }
        await using (
            var create = new NpgsqlCommand(
                $"CREATE TABLE transformed (place int, {string.Join(", ", entity.Columns.Select(c => $"{Sql.Identifier(c.Name)} {c.Type}"))})",
                connection
            )
        )
            await create.ExecuteNonQueryAsync();
        await CopiedTable.WriteAsync(connection, "transformed", buffer.WrittenMemory);
        return (images.Count - broken.Count, broken);
    }

    private static string PostgresType(SourceType type) =>
        type switch
        {
            SourceType.Integer => "int4",
            SourceType.Float => "float8",
            SourceType.Text => "varchar",
            SourceType.Boolean => "bool",
            _ => "timestamp",
        };

    // Few zeros and NULLs in ids and states, or hardly any row would pass.
    private static string?[] Values(SourceColumn column, int seed) =>
        column.Type switch
        {
            SourceType.Integer => column.Name == "id"
                ? ["1", "-5", "2147483647", "-2147483648", "40000"]
                : ["1", "2", "3", "4", "5", "6", "0", null, "-7", "2147483647", "8", "9", "10"],
            SourceType.Float => NastyValues.Doubles(seed),
            SourceType.Text => column.Name == "state" ? ["active", "active", "depleted", "expired", null, "lost"] : NastyValues.Texts,
            SourceType.Boolean => NastyValues.Booleans,
            _ => NastyValues.Timestamps,
        };
}
