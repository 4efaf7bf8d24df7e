using Cdc.Reconcile;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Reports;
using Cdc.Reconcile.Runs;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>
/// Whole runs while both sides write at full speed: what was planted is found, and nothing else is, ever. <c>CDC_TEST_LONG=1</c>: a hundred
/// runs.
/// </summary>
public sealed class RunsUnderWritesTests(TestServers servers, TestKafka kafka, ITestOutputHelper output)
{
    private static readonly int Runs = Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1" ? 100 : 4;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Planted_drift_is_found_and_no_other(bool overKafka)
    {
        await using var log = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct);
        var bed = log.Bed;
        await using var odoo = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = bed.Source.ConnectionString,
                Seed = TestSeed.Draw(),
                Sessions = 4,
                ExpiryRows = 200,
                BulkRows = 100,
                Initial = InitialRows.Shop(1000),
            }
        );
        await odoo.PrepareAsync(Ct);
        log.Start();
        await bed.CaughtUpAsync(Ct);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var working = odoo.RunAsync(enough.Token);
        long compared = 0,
            inFlight = 0;
        for (var i = 0; i < Runs; i++)
        {
            // This row is not written again: Odoo's programs stay as they are.
            await bed.Engine.ExecuteAsync($"UPDATE promotion_programs SET name = 'planted {i}' WHERE id = 3", Ct);
            var report = await RunAsync(bed, i % 2 == 0 ? RunKind.Full : RunKind.Changed);
            Assert.Equal([("program", 3L, "name", $"planted {i}")], report.Drift.Select(d => (d.Entity, d.Key, d.Field, d.EngineValue!)));
            Assert.Equal((1, "drift"), (report.Total.Drift, report.Run.Verdict));
            (compared, inFlight) = (compared + report.Total.Compared, inFlight + report.Total.InFlight);
        }
        await enough.CancelAsync();
        output.WriteLine($"{(await working).Transactions} transactions, {compared} keys compared, {inFlight} in flight");
        Assert.True(compared > 10_000, $"only {compared} keys were compared");
    }

    private static Task<RunReport> RunAsync(PipelineBed bed, RunKind kind) =>
        bed.ReconcileAsync(
            new RunRequest(kind, bed.Entities.All),
            Ct,
            new ReconcileOptions { SliceRows = 4096 },
            bed.Gate(new FenceOptions { Attempts = 60 })
        );
}
