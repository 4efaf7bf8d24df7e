using Cdc.Capture.Tables;
using Cdc.Core.Changes;
using Cdc.Tests.Support.Capture;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Capture;

public sealed class CatalogReaderTests(TestServers servers)
{
    private const string Publication = "cdc_test";

    private static readonly Cdc.Core.Entities.EntitySet Entities = Declared.Entities("card: id integer, code text", "gone: id integer");

    [Fact]
    public async Task A_table_is_described_and_a_missing_one_is_null()
    {
        await using var database = await CreateAsync();
        var catalog = await ReadAsync(database);
        var card = catalog.Tables[0].Table!;
        Assert.Null(catalog.Tables[1].Table);
        Assert.Equal(
            [("id", 1, 23u, false), ("noise", 2, 23u, false), ("code", 3, 1043u, false)],
            card.Columns.Select(c => (c.Name, c.Number, c.TypeOid, c.HasMissing))
        );
        Assert.Equal(["id"], card.PrimaryKey!.Columns);
        await using var connection = await database.DataSource.OpenConnectionAsync(Ct);
        Assert.Equal(3, await TableEstimate.ReadAsync(connection, Entities[0], card, Ct));
    }

    [Theory]
    [InlineData("ALTER TABLE card ALTER code TYPE text USING upper(code)")]
    [InlineData("ALTER TABLE card DROP code; ALTER TABLE card ADD code varchar DEFAULT 'x'")]
    [InlineData("DROP TABLE card; CREATE TABLE card (id int PRIMARY KEY, noise int, code varchar)")]
    [InlineData("TRUNCATE card")]
    // What kept rows from coming for a while, and is over.
    [InlineData("ALTER PUBLICATION cdc_test DROP TABLE card; ALTER PUBLICATION cdc_test ADD TABLE card")]
    [InlineData("ALTER PUBLICATION cdc_test SET TABLE card WHERE (id > 5); ALTER PUBLICATION cdc_test SET TABLE card")]
    [InlineData(
        "ALTER PUBLICATION cdc_test SET (publish = 'insert'); ALTER PUBLICATION cdc_test SET (publish = 'insert, update, delete, truncate')"
    )]
    [InlineData("ALTER TABLE card SET SCHEMA elsewhere; ALTER TABLE elsewhere.card SET SCHEMA public")]
    [InlineData("ALTER TABLE card RENAME TO other; ALTER TABLE other RENAME TO card")]
    public async Task A_change_that_no_event_tells_of_changes_the_fingerprint(string ddl)
    {
        await using var database = await CreateAsync();
        var before = await FingerprintAsync(database);
        await database.ExecuteAsync(
            """
            UPDATE card SET code = 'b'; ALTER TABLE card ADD extra int; CREATE INDEX ON card (code); GRANT SELECT ON card TO pg_monitor; ANALYZE card;
            """,
            Ct
        );
        Assert.True(TableFingerprints.AreSame(before, await FingerprintAsync(database)));
        foreach (var statement in ddl.Split("; "))
            await database.ExecuteAsync(statement, Ct);
        Assert.False(TableFingerprints.AreSame(before, await FingerprintAsync(database)));
    }

    [Theory]
    [InlineData(
        "CREATE PUBLICATION cdc_test FOR TABLES IN SCHEMA public",
        "ALTER PUBLICATION cdc_test DROP TABLES IN SCHEMA public; ALTER PUBLICATION cdc_test ADD TABLES IN SCHEMA public"
    )]
    [InlineData(
        "CREATE PUBLICATION cdc_test FOR TABLES IN SCHEMA public",
        "ALTER TABLE card SET SCHEMA elsewhere; ALTER TABLE elsewhere.card SET SCHEMA public"
    )]
    [InlineData("CREATE PUBLICATION cdc_test FOR ALL TABLES", "DROP PUBLICATION cdc_test; CREATE PUBLICATION cdc_test FOR ALL TABLES")]
    public async Task Every_form_of_a_publication_is_a_membership_and_one_that_ended_for_a_while_changes_the_fingerprint(
        string form,
        string ddl
    )
    {
        await using var database = await CreateAsync();
        await database.ExecuteAsync($"DROP PUBLICATION cdc_test; {form}", Ct);
        var table = (await ReadAsync(database)).Tables[0].Table!;
        Assert.Equal(new Membership(false, null, null), table.Membership! with { Columns = null });
        Assert.Equal(["id", "noise", "code"], table.Membership!.Columns);
        var before = await FingerprintAsync(database);
        foreach (var statement in ddl.Split("; "))
            await database.ExecuteAsync(statement, Ct);
        Assert.False(TableFingerprints.AreSame(before, await FingerprintAsync(database)));
    }

    [Fact]
    public async Task A_fingerprint_of_the_first_version_is_still_known()
    {
        await using var database = await CreateAsync();
        var now = await FingerprintAsync(database);
        var old = now with { Columns = now.Columns[..now.Columns.IndexOf(";;", StringComparison.Ordinal)], BarrierXid = 0 };
        Assert.True(TableFingerprints.AreSame(old, now));
        Assert.False(TableFingerprints.AreSame(old with { Columns = old.Columns + "1" }, now));
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
        var table = (await ReadAsync(database)).Tables[0].Table!;
        await using var connection = await database.DataSource.OpenConnectionAsync(Ct);
        Assert.InRange(await TableEstimate.ReadAsync(connection, Entities[0], table, Ct), 39_000, 41_000);
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static async Task<TableFingerprint> FingerprintAsync(TestDatabase database) =>
        TableFingerprints.Of(Entities[0], (await ReadAsync(database)).Tables[0].Table!, 7);

    private async Task<TestDatabase> CreateAsync()
    {
        var database = await servers.Source.CreateDatabaseAsync("capture", ct: Ct);
        await database.ExecuteAsync(
            "CREATE SCHEMA elsewhere; CREATE TABLE card (id serial PRIMARY KEY, noise int, code varchar); "
                + "INSERT INTO card (code) VALUES ('a'), ('b'), ('c'); CREATE PUBLICATION cdc_test FOR TABLE card",
            Ct
        );
        return database;
    }

    private static async Task<SourceCatalog> ReadAsync(TestDatabase database)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(Ct);
        return await CatalogReader.ReadAsync(connection, Publication, Entities.All, Ct);
    }
}
