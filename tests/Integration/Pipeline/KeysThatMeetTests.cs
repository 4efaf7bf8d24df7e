using Cdc.Testing.Waiting;
using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>With a DEFERRABLE key rows pass through each other's keys within a transaction; the engine has what Odoo has.</summary>
public sealed class KeysThatMeetTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rows_that_move_on_change_places_or_push_others_away_are_equal_without_being_read_again(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        var readings = await bed.ReadingsAsync("history", Ct);
        foreach (
            var sql in (string[])
                [
                    "UPDATE loyalty_point_history SET id = id + 1",
                    "UPDATE loyalty_point_history SET id = CASE id WHEN 2 THEN 3 WHEN 3 THEN 2 ELSE id END",
                    "UPDATE loyalty_point_history SET id = 60 - id",
                    "SET CONSTRAINTS ALL DEFERRED; UPDATE loyalty_point_history SET id = 10 WHERE id = 11; DELETE FROM loyalty_point_history WHERE id = 10 AND points_amount = (SELECT max(points_amount) FROM loyalty_point_history WHERE id = 10)",
                ]
        )
        {
            await bed.Source.ExecuteAsync($"BEGIN; {sql}; COMMIT", Ct);
            await bed.CaughtUpAsync(Ct);
            await bed.AssertEqualAsync(Ct);
        }
        Assert.Equal(readings, await bed.ReadingsAsync("history", Ct));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_at_which_a_row_came_and_left_is_read_again(bool overKafka)
    {
        await using var either = await StartAsync(overKafka);
        var bed = either.Bed;
        // The key had a row, which has stayed; and it had none.
        await bed.Source.ExecuteAsync(
            """
            BEGIN; SET CONSTRAINTS ALL DEFERRED;
            UPDATE loyalty_point_history SET id = 3 WHERE id = 2; UPDATE loyalty_point_history SET id = 2 WHERE points_amount = 2;
            UPDATE loyalty_point_history SET id = 999 WHERE id = 5; UPDATE loyalty_point_history SET id = 5 WHERE points_amount = 5;
            COMMIT
            """,
            Ct
        );
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(50L, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM point_history", Ct));
    }

    [Fact]
    public async Task A_key_that_becomes_deferrable_while_it_is_followed_has_its_table_read_again()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync($"BEGIN; {HistoryPlan.DeferrableKey}; UPDATE loyalty_point_history SET id = id + 1; COMMIT", Ct);
        await Eventually.True(
            "the table was read again",
            async () => await bed.ReadingsAsync("history", Ct) > 1,
            () => bed.Engine.ScalarAsync<string>("SELECT state FROM cdc.tables WHERE entity = 'history'", Ct)!,
            ct: Ct
        );
        await bed.EqualByItselfAsync(Ct);
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_history SET id = id + 1", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        // After a restart it is known as before.
        await bed.RestartInProcessAsync();
        await bed.Source.ExecuteAsync("UPDATE loyalty_point_history SET id = id + 1", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    private async Task<EitherLogBed> StartAsync(bool overKafka)
    {
        var either = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct);
        await either.Bed.Source.ExecuteAsync(HistoryPlan.DeferrableKey, Ct);
        await either.Bed.FillAsync(Ct);
        either.Start();
        await either.Bed.CaughtUpAsync(Ct);
        return either;
    }
}
