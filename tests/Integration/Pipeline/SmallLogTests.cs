using Cdc.Log;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>A log that is full most of the time: who writes into it waits and rests, and everything passes.</summary>
public sealed class SmallLogTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transaction_of_many_times_its_bound_arrives_whole_and_a_stop_amid_it_loses_nothing()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.LogOptions = new LogOptions { MaxBytes = 65_536 };
        bed.EngineOptions = bed.EngineOptions with { BatchRows = 500 };
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (id, name, active) VALUES (1, 'one', true);
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'C' || i, i FROM generate_series(1, 6000) i
            """,
            Ct
        );
        await Eventually.True(
            "the engine is in the middle of it, or has it",
            () =>
                bed.Engine.ScalarAsync<bool>(
                    """
                    SELECT EXISTS (SELECT FROM loyalty_cards)
                        OR EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cdc apply' AND backend_xid IS NOT NULL)
                    """,
                    Ct
                ),
            ct: Ct
        );
        await bed.StopInProcessAsync();
        // What was half streamed is undone, not shown.
        Assert.Contains(await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM loyalty_cards", Ct), (long[])[0, 6_000]);
        bed.StartInProcess();
        await bed.Source.ExecuteAsync("UPDATE loyalty_card SET points = points + 1", Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }
}
