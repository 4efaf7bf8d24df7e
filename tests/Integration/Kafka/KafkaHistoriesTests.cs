using System.Diagnostics;
using Cdc.Tests.Integration.Crash;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Integration.Pipeline.Matrix;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>
/// The histories of the in-process pipeline over a real broker and the real processes, any of which is killed with SIGKILL again and again.
/// <c>CDC_TEST_SEED=n</c> draws the same histories again; <c>CDC_TEST_LONG=1</c> runs for long.
/// </summary>
public sealed class KafkaHistoriesTests(TestServers servers, ITestOutputHelper output)
{
    private static readonly TimeSpan Duration =
        Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1" ? TimeSpan.FromMinutes(15) : TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Random_histories_end_equal_each_update_applied_once_whoever_is_killed()
    {
        await using var broker = await KafkaBroker.StartAsync(Ct);
        var pipeline = await PipelineBed.CreateAsync(servers, Ct);
        await HashedTables.DeclareAsync(pipeline, Ct);
        await using var bed = await KafkaPipelineBed.WithTopicsAsync(new KafkaPipelineBed(pipeline, TestKafka.OptionsOf(broker)), Ct);
        await RunAsync(
            bed,
            async () =>
            {
                await broker.KillAsync(Ct);
                await broker.StartAgainAsync(Ct);
            },
            membersComeAndGo: true
        );
    }

    /// <summary>Sessions that fence one another, transactions, leaders, answers and appends that are lost.</summary>
    [Fact]
    public async Task Random_histories_in_transactions_end_equal_each_update_applied_once_whoever_is_killed()
    {
        using var cluster = new MockCluster();
        await using var bed = await cluster.CreateBedAsync(servers, Ct);
        await RunAsync(
            bed,
            () =>
            {
                var partitions = bed.Partitions().ToList();
                foreach (var partition in partitions)
                    cluster.LoseLeader(partition.Topic, partition.Partition);
                foreach (var partition in partitions)
                    cluster.FindLeader(partition.Topic, partition.Partition);
                cluster.AnswerAppendLate(TimeSpan.FromSeconds(2));
                cluster.AnswerAppendWith(partitions[0].Topic, partitions[0].Partition, (int)ErrorCode.InvalidRecord);
                return Task.CompletedTask;
            },
            membersComeAndGo: false
        );
    }

    private async Task RunAsync(KafkaPipelineBed bed, Func<Task> disturbBroker, bool membersComeAndGo)
    {
        var seed = TestSeed.Draw();
        var random = new Random(seed);
        // A table whose key is deferrable has the one identity that suits it.
        var moves = random.Next(2) == 0 ? null : new TableMoves(bed.Bed, null, random);
        var disturbances = new KafkaDisturbances(bed, disturbBroker, membersComeAndGo, moves, random);
        try
        {
            await RunAsync(bed, disturbances, moves, seed, random);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{TestSeed.Describe(seed)}: {e.Message}{Environment.NewLine}{disturbances.Describe()}", e);
        }
        output.WriteLine(string.Join(", ", disturbances.Done.Select(d => $"{d.Key} {d.Value}")));
    }

    private async Task RunAsync(KafkaPipelineBed bed, KafkaDisturbances disturbances, TableMoves? moves, int seed, Random random)
    {
        // Small bounds, so that batches and chunks run over within a few rows.
        bed.Bed.EngineOptions = bed.Bed.EngineOptions with
        {
            BatchRows = random.Next(1, 40),
        };
        bed.Bed.SnapshotOptions = bed.Bed.SnapshotOptions with { ChunkRows = random.Next(2, 30) };
        bed.Bed.SourceOptions = bed.Bed.SourceOptions with { RememberedKeys = random.Next(3, 60) };
        await bed.Bed.Source.ExecuteAsync(HistoryPlan.Setup, Ct);
        await (moves?.PrepareAsync() ?? bed.Bed.Source.ExecuteAsync(HistoryPlan.DeferrableKey, Ct));
        await disturbances.StartAsync(Ct);
        // No row is there yet when the tables are read: every update of a card is counted.
        await bed.Bed.CaughtUpAsync(Ct, Patience);
        using var quiet = new CancellationTokenSource();
        var watching = new BackwardsWatch(
            bed.Bed.Engine,
            wholeTransactions: false,
            tills: bed.Bed.Entities.Find("till") is not null
        ).RunAsync(quiet.Token, Ct);
        var clock = Stopwatch.StartNew();
        var history = 0;
        for (; clock.Elapsed < Duration; history++)
        {
            await HistoryRun.RunAsync(
                bed.Bed,
                seed,
                history,
                () => random.Next(8) == 0 ? disturbances.NextAsync(Ct) : Task.CompletedTask,
                tableChanges: moves is not null,
                Ct
            );
            if (moves is not null)
            {
                await moves.MendAsync();
                await bed.Bed.EqualByItselfAsync(Ct);
            }
            await bed.Bed.CaughtUpAsync(Ct, Patience);
            disturbances.ThrowIfEnded();
            await bed.Bed.AssertEqualAsync(Ct);
            await UpdateCount.AssertAppliedOnceAsync(bed.Bed, Ct);
            if (watching.IsFaulted)
                await watching;
        }
        await quiet.CancelAsync();
        await watching;
        output.WriteLine($"{history} histories of {HistoryRun.Transactions} transactions");
    }
}
