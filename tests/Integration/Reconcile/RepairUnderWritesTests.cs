using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Repairs;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>While both sides write at full speed: what was planted is found, repaired and verified, and nothing else was ever different.</summary>
public sealed class RepairUnderWritesTests(TestServers servers, TestKafka kafka, ITestOutputHelper output)
{
    private const int Rows = 20_000;
    private const int Planted = 1000;

    /// <summary>Of cards that the shop does not know: what is planted in others it might write over itself.</summary>
    private const int First = 1_000_001;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_thousand_planted_differences_are_found_repaired_and_verified_under_writes(bool overKafka)
    {
        var seed = TestSeed.Draw();
        await using var log = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct);
        var bed = log.Bed;
        await using var odoo = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = bed.Source.ConnectionString,
                Seed = seed,
                Sessions = 4,
                ExpiryRows = 200,
                BulkRows = 100,
                Initial = InitialRows.Shop(1000),
            }
        );
        await odoo.PrepareAsync(Ct);
        log.Start();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var working = odoo.RunAsync(enough.Token);
        await Eventually.True("the shop works", () => odoo.Progress.Transactions > 0, ct: Ct);
        await bed.Source.ExecuteAsync(
            ComparisonBed.Cards(Rows).Replace("SELECT g,", $"SELECT {First - 1} + g,", StringComparison.Ordinal),
            Ct
        );
        await bed.CaughtUpAsync(Ct, TimeSpan.FromMinutes(3));
        var planted = await PlantedDrift.PlantAsync(bed.Engine, First, Rows, Planted, seed);

        var (options, request) = (new ReconcileOptions { SliceRows = 4096 }, new RunRequest(RunKind.Full, bed.Entities.All));
        var gate = bed.Gate(new FenceOptions { Attempts = 60 });
        var report = await bed.ReconcileAsync(request, Ct, options, gate);
        Assert.Equal(
            planted.Expected,
            report.Drift.Select(d => PlantedDrift.Describe(d.Key, d.Kind, d.Field, d.OdooValue, d.EngineValue)).Order()
        );

        var repair = new Repair(
            new ComparedServers(bed.Source.DataSource, bed.Engine.DataSource, gate, bed.Entities),
            new KeyReads(bed.Engine.ConnectionString, bed.Log),
            options,
            bed.EngineOptions.DeleteLimit
        );
        var repaired = await repair.RunAsync(await repair.PlanAsync(report.Run.Id, request, Ct), Ct);
        Assert.Equal((Planted, 0, 0), (repaired.Equal, repaired.Differing, repaired.Unknown));
        Assert.Equal(Planted, await planted.OutcomesAsync("repaired"));
        Assert.All((await bed.ReportAsync(report.Run.Id, Ct)).Drift, d => Assert.True(d.Resolved));

        var again = await bed.ReconcileAsync(request, Ct, options, gate);
        Assert.Equal(("consistent", 0), (again.Run.Verdict, again.Total.Drift));
        await enough.CancelAsync();
        output.WriteLine($"{(await working).Transactions} transactions, {again.Total.Compared} keys compared");
        await bed.CaughtUpAsync(Ct, TimeSpan.FromMinutes(3));
        await bed.AssertEqualAsync(Ct);
    }
}
