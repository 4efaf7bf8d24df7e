using Cdc.Engine.Snapshots;
using Cdc.Reconcile.Fences;
using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Equality;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>
/// Fences opened again and again while both sides write: at each one all columns of all rows are compared, and no difference may be found.
/// <c>CDC_TEST_SEED=n</c> draws the same writes again; <c>CDC_TEST_LONG=1</c>: ten times as many fences.
/// </summary>
public sealed class FencesUnderWritesTests(TestServers servers, ITestOutputHelper output)
{
    private const int MostGaps = 10;
    private static readonly int Fences = Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1" ? 400 : 40;

    /// <summary>Truncates and lost tables break many.</summary>
    private static readonly FenceOptions Patient = new() { Attempts = 60 };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task While_Odoo_works_no_fence_shows_a_difference()
    {
        var seed = TestSeed.Draw();
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 300 };
        await using var odoo = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = bed.Source.ConnectionString,
                Seed = seed,
                Sessions = 4,
                ExpiryRows = 200,
                BulkRows = 100,
                Initial = InitialRows.Shop(300),
            }
        );
        await odoo.PrepareAsync(Ct);
        var pipeline = bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var working = odoo.RunAsync(enough.Token);
        var seen = await CompareAsync(bed, seed);
        await enough.CancelAsync();
        output.WriteLine(
            $"{(await working).Transactions} transactions, {seen}; changes held {pipeline.Statistics.FencesHeld.TotalMilliseconds / pipeline.Statistics.Fences:0.0} ms a fence"
        );
        Assert.NotEqual(0, seen.Compared);
    }

    [Fact]
    public async Task While_random_transactions_collide_no_fence_shows_a_difference()
    {
        var seed = TestSeed.Draw();
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        var random = new Random(seed);
        bed.EngineOptions = bed.EngineOptions with { BatchRows = random.Next(1, 40) };
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = random.Next(2, 30) };
        bed.SourceOptions = bed.SourceOptions with { RememberedKeys = random.Next(20, 60) };
        await bed.Source.ExecuteAsync(HistoryPlan.Setup, Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var sessions = Enumerable.Range(0, 2).Select(n => WriteAsync(bed, seed + n, enough.Token)).ToArray();
        var seen = await CompareAsync(bed, seed);
        await enough.CancelAsync();
        await Task.WhenAll(sessions);
        output.WriteLine($"{seen}");
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    [Fact]
    public async Task While_everything_is_read_again_after_a_gap_no_fence_shows_a_difference()
    {
        var seed = TestSeed.Draw();
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = true };
        // One reader of small ranges: the load is to take longer than a fence.
        bed.SnapshotOptions = bed.SnapshotOptions with
        {
            Workers = 1,
            ChunkRows = 80,
        };
        // A third of history is gone with the gap, and is to be deleted without being asked for.
        bed.EngineOptions = bed.EngineOptions with
        {
            MaxDeletedPercent = 100,
        };
        await using var odoo = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = bed.Source.ConnectionString,
                Seed = seed,
                Sessions = 2,
                TransactionsPerSecond = 200,
                ExpiryRows = 50,
                BulkRows = 50,
                Initial = InitialRows.Shop(1000),
            }
        );
        await odoo.PrepareAsync(Ct);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.StopInProcessAsync();
        // Everything that follows is lost with the slot: rows changed, rows gone, in every range.
        await bed.Source.ExecuteAsync(
            """
            UPDATE loyalty_card SET points = points + 1;
            DELETE FROM loyalty_point_history WHERE id % 3 = 0;
            """,
            Ct
        );
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var working = odoo.RunAsync(enough.Token);
        var seen = new Seen();
        var generation = 1;
        // A machine that is busy elsewhere may have had no fence in the middle of a load: then there is one more gap.
        for (; generation <= MostGaps && seen.PartlyFinished == 0; generation++)
        {
            await bed.StopInProcessAsync();
            await bed.Source.ExecuteAsync($"SELECT pg_drop_replication_slot('{bed.SourceOptions.SlotName}')", Ct);
            bed.StartInProcess();
            do await CompareOnceAsync(bed, "history", seen);
            while (!await IsLoadedAsync(bed, generation + 1));
        }
        await enough.CancelAsync();
        await working;
        output.WriteLine($"{seen}");
        Assert.NotEqual(0, seen.PartlyFinished);
        Assert.Equal(generation, await bed.Engine.ScalarAsync<int>("SELECT generation FROM cdc.source", Ct));
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
    }

    /// <summary>Two ask at once, for every entity in turn.</summary>
    private static async Task<Seen> CompareAsync(PipelineBed bed, int seed)
    {
        var seen = new Seen();
        await Task.WhenAll(
            Enumerable
                .Range(0, 2)
                .Select(async asker =>
                {
                    var random = new Random(seed + asker);
                    for (var i = 0; i < Fences / 2; i++)
                    {
                        var entity = bed.Entities.All[random.Next(bed.Entities.Count)].Name;
                        if (random.Next(4) == 0)
                            await bed.Engine.ExecuteAsync(
                                $"INSERT INTO cdc.requests (kind, entity, from_key, to_key) VALUES ('snapshot', '{entity}', {random.Next(100)}, {random.Next(100, 400)})",
                                Ct
                            );
                        await CompareOnceAsync(bed, entity, seen);
                    }
                })
        );
        return seen;
    }

    private static async Task CompareOnceAsync(PipelineBed bed, string name, Seen seen)
    {
        var entity = bed.Entity(name);
        await using var fence = await bed.Gate(Patient).OpenAsync(entity, default, Ct);
        var report = await new EqualityCheck(bed.Entities).CompareAsync(entity, fence, Ct);
        if (!report.AreEqual)
            throw new NotEqualException(report);
        var unfinished = (await UnfinishedRanges.ReadAsync(fence.Engine, entity, Ct)).Count;
        seen.Add(report.Entities[0].Rows, fence.InFlight, unfinished);
    }

    private static async Task WriteAsync(PipelineBed bed, int seed, CancellationToken enough)
    {
        await using var session = await HistorySession.OpenAsync(
            bed.Source.DataSource,
            seed,
            $"{bed.Source.Name}-{seed}",
            tableChanges: false,
            Ct
        );
        while (!enough.IsCancellationRequested)
            await session.RunAsync(5, () => Task.CompletedTask, Ct);
    }

    private static Task<bool> IsLoadedAsync(PipelineBed bed, int generation) =>
        bed.Engine.ScalarAsync<bool>(
            $"SELECT generation = {generation} AND NOT EXISTS (SELECT FROM cdc.tables WHERE state = 'loading') FROM cdc.source",
            Ct
        );

    private sealed class Seen
    {
        private readonly Lock _lock = new();
        private int _fences;
        private int _withInFlight;
        private long _inFlight;

        public long Compared { get; private set; }

        /// <summary>Fences at which some ranges were compared and others were not finished.</summary>
        public int PartlyFinished { get; private set; }

        public void Add(long compared, InFlightKeys inFlight, int unfinished)
        {
            lock (_lock)
            {
                _fences++;
                Compared += compared;
                _inFlight += inFlight.Keys.Count;
                if (inFlight.All || inFlight.Keys.Count > 0)
                    _withInFlight++;
                if (unfinished > 0 && compared > 0)
                    PartlyFinished++;
            }
        }

        public override string ToString() =>
            $"{_fences} fences, {Compared} keys compared, {_withInFlight} fences with keys in flight ({_inFlight} keys), {PartlyFinished} in the middle of a load";
    }
}
