using System.Diagnostics;
using Cdc.Tests.Integration.Crash;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Integration.Pipeline.Matrix;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Pipeline;

/// <summary>
/// Random transaction histories under random disturbances end with engine = source, and nothing was ever seen going backwards or torn.
/// <c>CDC_TEST_SEED=n</c> draws the same histories again (how sessions interleave is the machine's). The short run is CI's; the long one
/// is <c>CDC_TEST_LONG=1</c>.
/// </summary>
public sealed class RandomHistoriesTests(TestServers servers, ITestOutputHelper output)
{
    private static readonly bool Long = Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1";
    private static readonly TimeSpan Duration = Long ? TimeSpan.FromMinutes(15) : TimeSpan.FromSeconds(35);

    /// <summary>Histories in one database, before the next one with other settings.</summary>
    private const int HistoriesOfBed = 20;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Random_histories_end_equal_and_nothing_goes_backwards()
    {
        var seed = TestSeed.Draw();
        var clock = Stopwatch.StartNew();
        var histories = 0;
        while (true)
        {
            histories += await RunBedAsync(seed, clock);
            if (clock.Elapsed >= Duration || TestSeed.IsGiven)
                break;
            seed = TestSeed.Show(seed + 1);
        }
        output.WriteLine($"{histories} histories of {HistoryRun.Transactions} transactions");
    }

    private async Task<int> RunBedAsync(int seed, Stopwatch clock)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        var random = new Random(seed);
        await bed.Source.ExecuteAsync(HistoryPlan.Setup, Ct);
        await HashedTables.DeclareAsync(bed, Ct);
        var isDeferrable = random.Next(2) == 0;
        if (isDeferrable)
            await bed.Source.ExecuteAsync(HistoryPlan.DeferrableKey, Ct);
        // Half of the beds count updates from the first one on: no row is there yet when the tables are read. The others read tables that are
        // being written to, at the start and after every lost slot.
        var counts = random.Next(2) == 0;
        Configure(bed, random, acceptGaps: !counts);
        // A table with such a key has the one identity that suits it. Every third of the others is read by a role that owns nothing.
        await using var role = !isDeferrable && random.Next(3) == 0 ? await ReaderRole.CreateAsync(bed.Source, null) : null;
        var moves = isDeferrable ? null : new TableMoves(bed, role, random);
        if (moves is not null)
            await moves.PrepareAsync();
        await using var disturbances = new Disturbances(bed, random, losesSlots: !counts, moves);
        if (!counts)
            await RunHistoryAsync(bed, seed, -1, random, null);
        disturbances.Start();

        using var quiet = new CancellationTokenSource();
        // Until cdc has seen that a table does not come any more, the others are ahead of it.
        var watch = new BackwardsWatch(bed.Engine, wholeTransactions: moves is null, tills: true);
        var watching = watch.RunAsync(quiet.Token, Ct);
        var history = 0;
        try
        {
            if (counts)
                await bed.CaughtUpAsync(Ct);
            for (; history < HistoriesOfBed && clock.Elapsed < Duration; history++)
            {
                await RunHistoryAsync(bed, seed, history, random, disturbances);
                await disturbances.ReleaseAsync();
                await EndsEqualAsync(bed, moves);
                if (counts)
                    await UpdateCount.AssertAppliedOnceAsync(bed, Ct);
                if (watching.IsFaulted)
                    await watching;
            }
            await disturbances.StopAsync(Ct);
            await quiet.CancelAsync();
            await watching;
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(
                $"{TestSeed.Describe(seed)}, history {history}: {e.Message}{Environment.NewLine}{disturbances.Describe()}",
                e
            );
        }
        output.WriteLine(
            $"  {history} histories, looked at {watch.Looks} times; {string.Join(", ", disturbances.Done.Select(d => $"{d.Key} {d.Value}"))}; obeyed {moves?.Obeyed ?? 0} times"
        );
        return history;
    }

    private static async Task EndsEqualAsync(PipelineBed bed, TableMoves? moves)
    {
        // That a table can be followed again is seen at the next look at the catalog.
        if (moves is not null)
            await bed.EqualByItselfAsync(Ct);
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    /// <summary>Small bounds, so that batches, chunks and remembered keys run over within a few rows.</summary>
    private static void Configure(PipelineBed bed, Random random, bool acceptGaps)
    {
        bed.EngineOptions = bed.EngineOptions with { BatchRows = random.Next(1, 40) };
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = random.Next(2, 30), Workers = random.Next(1, 4) };
        bed.SourceOptions = bed.SourceOptions with { RememberedKeys = random.Next(3, 60), AcceptGaps = acceptGaps };
    }

    private static Task RunHistoryAsync(PipelineBed bed, int seed, int history, Random random, Disturbances? disturbances) =>
        HistoryRun.RunAsync(
            bed,
            seed,
            history,
            () => disturbances is not null && random.Next(8) == 0 ? disturbances.NextAsync(Ct) : Task.CompletedTask,
            tableChanges: disturbances is not null,
            Ct
        );
}
