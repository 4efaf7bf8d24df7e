using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>A load that is slower than the stream still comes before what the stream does to its keys.</summary>
public sealed class LoadsBesideTheStreamTests(TestServers servers)
{
    private const int Key = 4711;

    /// <summary>A load of cards waits for the holder of the lock, after it was given its place and before it has written a row.</summary>
    private static readonly string HoldLoads = $"""
        CREATE FUNCTION hold_loads() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_setting('application_name') = 'cdc load' THEN PERFORM pg_advisory_xact_lock_shared({Key}); END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER hold_loads BEFORE INSERT ON loyalty_cards EXECUTE FUNCTION hold_loads();
        ALTER TABLE loyalty_cards ENABLE ALWAYS TRIGGER hold_loads;
        """;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("DELETE FROM loyalty_card WHERE id = 5")]
    [InlineData("BEGIN; SET LOCAL session_replication_role = replica; UPDATE loyalty_card SET id = 55 WHERE id = 5; COMMIT")]
    [InlineData("TRUNCATE loyalty_card CASCADE")]
    public async Task What_the_stream_removes_waits_for_the_load_that_still_brings_it(string removal)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.FillAsync(Ct, cards: 10);
        await bed.Engine.ExecuteAsync(HoldLoads, Ct);
        // Not from a pool, which would keep the lock when the test has failed.
        await using var holder = new NpgsqlConnection(bed.Engine.ConnectionString + ";Pooling=false");
        await holder.OpenAsync(Ct);
        await ExecuteAsync(holder, $"SELECT pg_advisory_lock({Key})");
        bed.StartInProcess();
        await Eventually.True(
            "the load of the cards is held",
            () =>
                bed.Engine.ScalarAsync<bool>(
                    "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND NOT l.granted AND a.datname = current_database())",
                    Ct
                ),
            ct: Ct
        );

        await bed.Source.ExecuteAsync(removal, Ct);
        var removed = await PositionAsync(bed);
        await ReceivedAsync(bed, removed);
        // What came after it has come too: the removal has long been offered to the engine.
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_program (id, name) VALUES (2, 'after it')", Ct);
        await ReceivedAsync(bed, await PositionAsync(bed));
        Assert.True(
            await bed.Engine.ScalarAsync<bool>($"SELECT through_lsn < '{removed}' FROM cdc.checkpoints", Ct),
            "the stream did not wait for the load"
        );
        await ExecuteAsync(holder, $"SELECT pg_advisory_unlock({Key})");
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    private static async Task<string> PositionAsync(PipelineBed bed) =>
        (await bed.Source.ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text", Ct))!;

    private static Task ReceivedAsync(PipelineBed bed, string position) =>
        Eventually.True(
            $"{position} is received",
            () =>
                bed.Source.ScalarAsync<bool>(
                    $"SELECT EXISTS (SELECT FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.database = current_database() AND r.write_lsn >= '{position}')",
                    Ct
                ),
            ct: Ct
        );

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
