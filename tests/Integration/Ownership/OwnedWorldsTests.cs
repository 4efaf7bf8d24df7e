using System.Diagnostics;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Ownership;

/// <summary>
/// Whatever the application, Odoo's users, calls, readings, restarts and changes of owner do in which order: both sides end equal, every own
/// change is in Odoo once, and each value that the owner's was put over is on record, none besides.
/// </summary>
public sealed class OwnedWorldsTests(TestServers servers, TestKafka kafka, ITestOutputHelper output)
{
    private const int Steps = 60;
    private static readonly bool Long = Environment.GetEnvironmentVariable("CDC_TEST_LONG") == "1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Random_worlds_end_equal_with_every_own_change_in_Odoo_once(bool overKafka)
    {
        var clock = Stopwatch.StartNew();
        var seed = TestSeed.Draw();
        var worlds = 0;
        do
        {
            await RunAsync(overKafka, seed);
            worlds++;
            if (TestSeed.IsGiven)
                break;
            seed = TestSeed.Show(seed + 1);
        } while (Long && clock.Elapsed < TimeSpan.FromMinutes(5));
        output.WriteLine($"{worlds} worlds of {Steps} steps");
    }

    private async Task RunAsync(bool overKafka, int seed)
    {
        await using var log = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct, OwnedEntities.All);
        var world = new OwnedWorld(log, new Random(seed));
        await world.BeginAsync();
        try
        {
            for (var step = 0; step < Steps; step++)
                await world.StepAsync();
            await world.RestAsync();
        }
        catch
        {
            Console.WriteLine(string.Join('\n', world.Said));
            throw;
        }
    }
}
