using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Equality;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Support;

public sealed class EqualityCheckTests(TestServers servers) : IAsyncLifetime
{
    private static readonly SourceColumn Id = new(0, "id", SourceType.Integer);
    private static readonly EntitySet Entities = new([
        new EntityDeclaration
        {
            Index = 0,
            Name = "card",
            SourceSchema = "public",
            SourceTable = "card",
            EngineSchema = "public",
            EngineTable = "cards",
            Key = Id,
            EngineKey = "id",
            SourceColumns = [Id, new(1, "code", SourceType.Text), new(2, "points", SourceType.Float), new(3, "made", SourceType.Timestamp)],
            Columns =
            [
                new("code", "varchar(8)", "upper(btrim(code) COLLATE \"C\")", NotNull: true),
                new("points", "numeric(18,2)", "points::numeric", NotNull: false),
                new("created_at", "timestamp", "made", NotNull: false),
            ],
            Rules =
            [
                new("points-negative", "points >= 0", "negative", Warn: false),
                new("points-large", "points < 1000", "large", Warn: true),
            ],
            Parents = [],
        },
    ]);

    private TestDatabase _source = null!;
    private TestDatabase _engine = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _source = await servers.Source.CreateDatabaseAsync("equality", ct: Ct);
        _engine = await servers.Engine.CreateDatabaseAsync("equality", ct: Ct);
        await _source.ExecuteAsync(
            """
            CREATE TABLE card (id int PRIMARY KEY, code varchar, points float8, made timestamp);
            INSERT INTO card VALUES (-3, ' ab ', 0.1 + 0.2, '2024-01-02 03:04:05.000006'), (7, 'é', NULL, 'infinity'), (9, 'x', 2000, NULL);
            """,
            Ct
        );
        await _engine.ExecuteAsync(await File.ReadAllTextAsync(SourceTree.PathOf("schemas/engine/0001_cdc.up.sql"), Ct), Ct);
        await _engine.ExecuteAsync(
            """
            CREATE TABLE cards (id bigint PRIMARY KEY, code varchar(8), points numeric(18,2), created_at timestamp);
            INSERT INTO cards VALUES (-3, 'AB', 0.30, '2024-01-02 03:04:05.000006'), (7, 'é', NULL, 'infinity'), (9, 'X', 2000, NULL);
            """,
            Ct
        );
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _engine.DisposeAsync();
    }

    [Fact]
    public async Task Rows_that_the_declaration_makes_of_the_source_are_equal()
    {
        var report = await CompareAsync();
        Assert.True(report.AreEqual, report.ToString());
        Assert.Equal(new EntityEquality("card", 3, 0, 0), Assert.Single(report.Entities));
    }

    [Theory]
    [InlineData("UPDATE cards SET points = points + 0.01 WHERE id = -3", -3, "points")]
    [InlineData("UPDATE cards SET created_at = created_at + interval '1 microsecond' WHERE id = -3", -3, "created_at")]
    [InlineData("UPDATE cards SET points = 0 WHERE id = 7", 7, "points")]
    [InlineData("UPDATE cards SET code = '' WHERE id = 9", 9, "code")]
    [InlineData("UPDATE cards SET code = 'ab' WHERE id = -3", -3, "code")]
    [InlineData("DELETE FROM cards WHERE id = 9", 9, "is missing in the engine")]
    [InlineData("DELETE FROM cards WHERE id = -3", -3, "is missing in the engine")]
    [InlineData("INSERT INTO cards VALUES (8, 'Y', 1)", 8, "is in the engine only")]
    [InlineData("INSERT INTO cards VALUES (100, 'Y', 1)", 100, "is in the engine only")]
    [InlineData(
        "INSERT INTO cdc.quarantine VALUES ('card', 9, 1, '0/1', 0, 'r', 'd', NULL, now())",
        9,
        "is in quarantine though it breaks no rule"
    )]
    [InlineData(
        "INSERT INTO cdc.quarantine VALUES ('card', 55, 1, '0/1', 0, 'r', 'd', NULL, now())",
        55,
        "is in quarantine though the source has no such row"
    )]
    public async Task One_thing_that_is_wrong_in_the_engine_is_found(string sql, long key, string what)
    {
        await _engine.ExecuteAsync(sql, Ct);
        var report = await CompareAsync();
        Assert.False(report.AreEqual);
        var difference = Assert.Single(report.Examples);
        Assert.Equal((key, what), (difference.Key, difference.What));
    }

    [Theory]
    [InlineData("points = -0.01")]
    [InlineData("code = NULL")]
    [InlineData("code = 'longer than eight'")]
    [InlineData("points = 1e300")]
    [InlineData("points = 'Infinity'")]
    public async Task A_row_that_the_engine_cannot_take_must_be_in_quarantine(string damage)
    {
        await _source.ExecuteAsync($"UPDATE card SET {damage} WHERE id = 7", Ct);
        Assert.Equal("breaks a rule and is not in quarantine", Assert.Single((await CompareAsync()).Examples).What);

        await _engine.ExecuteAsync("INSERT INTO cdc.quarantine VALUES ('card', 7, 1, '0/1', 0, 'r', 'd', NULL, now())", Ct);
        var report = await CompareAsync();
        Assert.True(report.AreEqual, report.ToString());
        Assert.Equal(new EntityEquality("card", 3, 1, 0), Assert.Single(report.Entities));
    }

    [Fact]
    public async Task A_row_that_cannot_be_computed_does_not_hide_another_that_differs()
    {
        await _source.ExecuteAsync("UPDATE card SET points = 1e300 WHERE id = 7", Ct);
        await _engine.ExecuteAsync(
            "DELETE FROM cards WHERE id = 7; UPDATE cards SET points = 0.31 WHERE id = -3; INSERT INTO cdc.quarantine VALUES ('card', 7, 1, '0/1', 0, 'r', 'd', NULL, now())",
            Ct
        );
        Assert.Equal(-3, Assert.Single((await CompareAsync()).Examples).Key);
    }

    [Fact]
    public async Task A_range_leaves_the_rest_alone()
    {
        await _engine.ExecuteAsync("DELETE FROM cards", Ct);
        var report = await new EqualityCheck(Entities).CompareAsync(_source.DataSource, _engine.DataSource, Ct, new KeyRange(7, 9));
        Assert.Equal(7, Assert.Single(report.Examples).Key);
    }

    [Fact]
    public async Task Rows_born_in_the_engine_are_none_of_its_business()
    {
        await _engine.ExecuteAsync("INSERT INTO cards VALUES (4294967296, 'Y', 1)", Ct);
        Assert.True((await CompareAsync()).AreEqual);
    }

    private Task<EqualityReport> CompareAsync() => new EqualityCheck(Entities).CompareAsync(_source.DataSource, _engine.DataSource, Ct);
}
