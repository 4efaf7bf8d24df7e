using Cdc.Core.Changes;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;

namespace Cdc.Tests.Integration.Crash;

/// <summary>kill -9 of the real process, again and again, while Odoo works. CI kills 8 times; <c>CDC_TEST_LONG=1</c>: 50 times.</summary>
public sealed class RandomKillsTests(TestServers servers, ITestOutputHelper output)
{
    private static readonly int Kills = Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1" ? 50 : 8;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_again_and_again_under_load_every_change_is_applied_once()
    {
        var seed = TestSeed.Draw();
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        bed.EngineOptions = bed.EngineOptions with { BatchRows = 200 };
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 100 };
        await bed.Source.ExecuteAsync(UpdateCount.Setup, Ct);
        await using var odoo = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = bed.Source.ConnectionString,
                Seed = seed,
                Sessions = 3,
                TransactionsPerSecond = 300,
                ExpiryRows = 300,
                BulkRows = 100,
                Initial = InitialRows.Shop(200),
            }
        );
        await odoo.PrepareAsync(Ct);
        var process = await bed.StartProcessAsync(ct: Ct);
        await bed.CaughtUpAsync(Ct);

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var working = odoo.RunAsync(enough.Token);
        var random = new Random(seed);
        for (var kill = 0; kill < Kills; kill++)
        {
            await AppliedAsync(bed, random.Next(4) == 0 ? 0 : random.Next(2_000_000));
            Assert.Equal(128 + (int)Signal.Kill, await process.StopAsync(Signal.Kill, Ct));
            process = await bed.StartProcessAsync(ct: Ct);
        }
        await enough.CancelAsync();
        output.WriteLine($"{(await working).Transactions} transactions");
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed, Ct);
    }

    /// <summary>Waits until the engine has applied this many more bytes of the source's log, or all that there is.</summary>
    private static async Task AppliedAsync(PipelineBed bed, int bytes)
    {
        var target = new Lsn((await ThroughAsync(bed)).Value + (ulong)bytes);
        await Eventually.True($"changes are applied up to {target}", async () => await ThroughAsync(bed) >= target, ct: Ct);
    }

    private static async Task<Lsn> ThroughAsync(PipelineBed bed) =>
        Lsn.Parse((await bed.Engine.ScalarAsync<string>("SELECT through_lsn::text FROM cdc.checkpoints", Ct))!);
}
