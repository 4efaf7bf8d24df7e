using Cdc.Capture.Source;
using Cdc.Tests.Support.Capture;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

public sealed class TableProbeTests(TestServers servers)
{
    private static readonly Cdc.Core.Entities.EntitySet Entities = Declared.Entities("card: id integer, code text", "gone: id integer");

    [Fact]
    public async Task A_table_is_described_and_a_missing_one_is_null()
    {
        await using var database = await CreateAsync();
        var probed = await ProbeAsync(database);
        var card = probed[0]!;
        Assert.Null(probed[1]);
        Assert.Equal(
            [("id", 1, 23u, false), ("code", 3, 1043u, false)],
            card.Columns.Select(c => (c.Name, c.Number, c.TypeOid, c.HasMissing))
        );
        Assert.Equal(3, card.EstimatedRows);
    }

    [Theory]
    [InlineData("ALTER TABLE card ALTER code TYPE text USING upper(code)")]
    [InlineData("ALTER TABLE card DROP code; ALTER TABLE card ADD code varchar DEFAULT 'x'")]
    [InlineData("DROP TABLE card; CREATE TABLE card (id int PRIMARY KEY, noise int, code varchar)")]
    [InlineData("TRUNCATE card")]
    public async Task A_change_that_no_event_tells_of_changes_the_probe(string ddl)
    {
        await using var database = await CreateAsync();
        var before = Identity((await ProbeAsync(database))[0]!);
        await database.ExecuteAsync("UPDATE card SET code = 'b'; ALTER TABLE card ADD extra int", Ct);
        Assert.Equal(before, Identity((await ProbeAsync(database))[0]!));
        await database.ExecuteAsync(ddl, Ct);
        Assert.NotEqual(before, Identity((await ProbeAsync(database))[0]!));
    }

    [Fact]
    public async Task A_large_table_is_estimated_from_its_statistics_and_present_size()
    {
        await using var database = await CreateAsync();
        await database.ExecuteAsync(
            "ALTER TABLE card SET (autovacuum_enabled = off); INSERT INTO card (code) SELECT repeat('x', 500) FROM generate_series(1, 20000)",
            Ct
        );
        await database.ExecuteAsync("ANALYZE card", Ct);
        await database.ExecuteAsync("INSERT INTO card (code) SELECT repeat('x', 500) FROM generate_series(1, 20000)", Ct);
        Assert.InRange((await ProbeAsync(database))[0]!.EstimatedRows, 39_000, 41_000);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Identity(ProbedTable table) => $"{table.RelationOid} {table.RelFileNode} {string.Join(',', table.Columns)}";

    private async Task<TestDatabase> CreateAsync()
    {
        var database = await servers.Source.CreateDatabaseAsync("capture", ct: Ct);
        await database.ExecuteAsync(
            "CREATE TABLE card (id serial PRIMARY KEY, noise int, code varchar); INSERT INTO card (code) VALUES ('a'), ('b'), ('c')",
            Ct
        );
        return database;
    }

    private static async Task<IReadOnlyList<ProbedTable?>> ProbeAsync(TestDatabase database)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(Ct);
        return await TableProbe.ReadAsync(connection, Entities, Ct);
    }
}
