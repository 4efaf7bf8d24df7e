using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>What shows fewer rows than the table that is followed is not read, so that nothing is deleted.</summary>
public sealed class SeenLessTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("CREATE VIEW loyalty_card AS SELECT * FROM all_cards WHERE id % 2 = 0")]
    [InlineData("CREATE MATERIALIZED VIEW loyalty_card AS SELECT * FROM all_cards WHERE id % 2 = 0")]
    [InlineData(
        "CREATE FOREIGN DATA WRAPPER elsewhere; CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere; "
            + "CREATE FOREIGN TABLE loyalty_card (id int, program_id int, partner_id int, company_id int, code varchar, points float8, "
            + "create_date timestamp, write_date timestamp, expiration_date date) SERVER elsewhere"
    )]
    public async Task Something_else_in_the_tables_place_stops_it_and_its_rows_stay(string instead)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        await bed.Source.ExecuteAsync($"ALTER TABLE loyalty_card RENAME TO all_cards; {instead}", Ct);
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        await bed.StoppedAsync("card", Ct);
        Assert.Equal(50L, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards", Ct));

        await bed.Source.ExecuteAsync(
            $"DROP {(instead.Contains("MATERIALIZED", StringComparison.Ordinal) ? "MATERIALIZED VIEW" : instead.Contains("VIEW", StringComparison.Ordinal) ? "VIEW" : "FOREIGN TABLE")} loyalty_card; "
                + "ALTER TABLE all_cards RENAME TO loyalty_card; UPDATE loyalty_card SET points = points + 1",
            Ct
        );
        await bed.EqualByItselfAsync(Ct);
    }

    [Fact]
    public async Task A_table_of_the_same_name_in_a_schema_before_it_is_not_read()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync(
            $"CREATE SCHEMA first; CREATE TABLE first.loyalty_card (LIKE public.loyalty_card INCLUDING ALL); ALTER DATABASE \"{bed.Source.Name}\" SET search_path = first, public",
            Ct
        );
        await bed.RestartInProcessAsync();
        await bed.Engine.ExecuteAsync("INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card')", Ct);
        await bed.CaughtUpAsync(Ct);
        Assert.Equal(50L, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards", Ct));
    }
}
