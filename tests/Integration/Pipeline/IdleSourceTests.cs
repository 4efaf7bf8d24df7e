using Cdc.Core.Operations;
using Cdc.Engine.Status;
using Cdc.Host.Servers;
using Cdc.Host.Status;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>Odoo rests, and another database of its server does not.</summary>
public sealed class IdleSourceTests(TestServers servers, TestKafka kafka)
{
    private const long MuchWal = 100_000;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task While_another_database_writes_lag_is_not_the_age_of_the_last_commit(bool overKafka)
    {
        await using var either = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct);
        var bed = either.Bed;
        await using var other = await servers.Source.CreateDatabaseAsync("busy", ct: Ct);
        await using var source = Database.Source(bed.Source.ConnectionString);
        await using var engine = Database.Engine(bed.Engine.ConnectionString);
        var reader = new StatusReader(
            source,
            engine,
            bed.SourceOptions.SlotName,
            new EngineStatusReader(bed.Entities, overKafka),
            null,
            TimeProvider.System
        );
        either.Start();
        await bed.CaughtUpAsync(Ct);
        await bed.Source.ExecuteAsync("INSERT INTO loyalty_program (id, name) VALUES (1, 'the last commit')", Ct);
        await bed.CaughtUpAsync(Ct);

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var writing = Task.Run(
            async () =>
            {
                while (!enough.IsCancellationRequested)
                    await other.ExecuteAsync($"SELECT pg_logical_emit_message(false, 'busy', repeat('x', {2 * MuchWal}))", Ct);
            },
            Ct
        );
        StatusReport? status = null;
        await Eventually.True(
            "there is much to read, and lag is far less than the age of the last commit",
            async () =>
            {
                status = await reader.ReadAsync(Ct);
                // The partition that is furthest behind may be one to which no commit ever came.
                return status.Engine!.LastCommitAt is { } commit
                    && status.BytesBehind > MuchWal
                    && status.SecondsBehind < (status.Source!.Now - commit).TotalSeconds / 2;
            },
            async () =>
                await Task.FromResult(
                    $"{status?.BytesBehind} bytes, {status?.SecondsBehind} s, last commit {status?.Engine?.LastCommitAt:O}, as of {status?.Engine?.AsOf:O}"
                ),
            ct: Ct
        );
        await enough.CancelAsync();
        await writing;
    }

    [Fact]
    public async Task What_the_checkpoint_says_of_time_steps_back_neither_by_a_restart_nor_by_messages_of_others()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        // What was applied is not confirmed to the source, so that a restart is sent all of it again.
        bed.EngineOptions = bed.EngineOptions with
        {
            FeedbackInterval = TimeSpan.FromMinutes(5),
        };
        await WatchAsync(bed);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        // Neither is a time: too short, and beyond all times.
        await bed.Source.ExecuteAsync(
            "SELECT pg_logical_emit_message(false, 'cdc.heartbeat', 'now'), pg_logical_emit_message(false, 'cdc.heartbeat', '\\x7fffffffffffffff'::bytea)",
            Ct
        );
        await AsOfMovesAsync(bed);
        await bed.RestartInProcessAsync();
        await bed.CaughtUpAsync(Ct);
        await AsOfMovesAsync(bed);
        await AssertNeverBackAsync(bed);
    }

    [Fact]
    public async Task Over_Kafka_each_partition_says_it_and_a_captures_restart_takes_nothing_of_it_back()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await WatchAsync(bed.Bed);
        var capture = bed.StartCapture();
        bed.StartApply();
        await bed.Bed.CaughtUpAsync(Ct);
        await AsOfMovesAsync(bed.Bed);
        // Those to which a record comes, and those that stay empty.
        await bed.Bed.Source.ExecuteAsync("INSERT INTO loyalty_program (id, name) VALUES (1, 'the last commit')", Ct);
        await capture.StopAsync();
        bed.StartCapture();
        await bed.Bed.CaughtUpAsync(Ct);
        await AsOfMovesAsync(bed.Bed);
        await AssertNeverBackAsync(bed.Bed);
    }

    private static Task WatchAsync(PipelineBed bed) =>
        bed.Engine.ExecuteAsync(
            """
            CREATE TABLE seen (back boolean NOT NULL);
            CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (NEW.as_of < OLD.as_of OR NEW.as_of > clock_timestamp() + interval '1 minute'); RETURN NEW; END $$;
            CREATE TRIGGER look BEFORE UPDATE ON cdc.checkpoints FOR EACH ROW EXECUTE FUNCTION look();
            ALTER TABLE cdc.checkpoints ENABLE ALWAYS TRIGGER look;
            """,
            Ct
        );

    private static async Task AssertNeverBackAsync(PipelineBed bed) =>
        Assert.Equal(["f"], await bed.Engine.RowsAsync("SELECT DISTINCT back FROM seen", Ct));

    private static async Task AsOfMovesAsync(PipelineBed bed)
    {
        var before = await AsOfAsync(bed);
        await Eventually.True("a heartbeat moves the checkpoint's time", async () => await AsOfAsync(bed) > before, ct: Ct);
    }

    private static Task<DateTime> AsOfAsync(PipelineBed bed) =>
        bed.Engine.ScalarAsync<DateTime>("SELECT min(as_of) FROM cdc.checkpoints", Ct);
}
