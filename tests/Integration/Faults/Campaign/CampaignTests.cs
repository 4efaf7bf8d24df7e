using Cdc.Tests.Integration.Crash;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Pipeline;
using Xunit;

namespace Cdc.Tests.Integration.Faults.Campaign;

/// <summary>
/// The real program over its own servers, while Odoo works and faults of many kinds follow each other by a seed. CI plays a few of them;
/// <c>CDC_CAMPAIGN_MINUTES=20 ./dev test Campaign</c> goes on for so long, and prints what it did.
/// </summary>
public sealed class CampaignTests(OwnServers servers, ITestOutputHelper output) : IClassFixture<OwnServers>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_happens_the_program_goes_on_and_every_change_is_applied_once()
    {
        var seed = TestSeed.Draw();
        await using var bed = await PipelineBed.CreateAsync(
            servers.Source.ConnectionString("postgres"),
            servers.Engine.ConnectionString("postgres"),
            Ct
        );
        bed.EngineOptions = bed.EngineOptions with { BatchRows = 200 };
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 100 };
        await bed.Source.ExecuteAsync(UpdateCount.Setup, Ct);
        await using var stage = new CampaignStage(bed, servers, [ct => bed.StartProcessAsync(ct: ct)]);
        await stage.PlayAsync(new Random(seed), CampaignLength.Here, output.WriteLine, Ct);
        await bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed, Ct);
    }
}
