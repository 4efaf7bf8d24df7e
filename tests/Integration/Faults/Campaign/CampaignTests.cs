using Cdc.Tests.Integration.Crash;
using Cdc.Tests.Integration.Pipeline.Matrix;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Xunit;

namespace Cdc.Tests.Integration.Faults.Campaign;

/// <summary>
/// The real programs over their own servers, while Odoo works and faults of many kinds follow each other by a seed. CI plays a few of them;
/// <c>CDC_CAMPAIGN_MINUTES=20 ./dev test Campaign</c> goes on for so long, and prints what it did.
/// </summary>
public sealed class CampaignTests(OwnServers servers, ITestOutputHelper output) : IClassFixture<OwnServers>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_happens_the_program_goes_on_and_every_change_is_applied_once()
    {
        var random = new Random(TestSeed.Draw());
        await using var bed = await BedAsync();
        await PlayAsync(bed, random, [new("run", ct => bed.StartProcessAsync(ct: ct))], null);
    }

    [Fact]
    public async Task Whatever_happens_over_Kafka_capture_and_apply_go_on_and_every_change_is_applied_once()
    {
        var random = new Random(TestSeed.Draw());
        await using var broker = await KafkaBroker.StartAsync(Ct);
        await using var bed = await KafkaPipelineBed.WithTopicsAsync(
            new KafkaPipelineBed(await BedAsync(), TestKafka.OptionsOf(broker)),
            Ct
        );
        await PlayAsync(
            bed.Bed,
            random,
            [.. ((string[])["capture", "apply", "apply"]).Select(c => new CampaignProgram(c, ct => bed.StartProcessAsync(c, null, ct)))],
            broker
        );
    }

    private async Task PlayAsync(PipelineBed bed, Random random, IReadOnlyList<CampaignProgram> programs, KafkaBroker? broker)
    {
        // Of the changes of tables either those that concern a role, or all others.
        await using var role = random.Next(3) == 0 ? await ReaderRole.CreateAsync(bed.Source, null) : null;
        var moves = new TableMoves(bed, role, random);
        await moves.PrepareAsync();
        await using var stage = new CampaignStage(bed, servers, programs, moves, broker);
        await stage.PlayAsync(random, CampaignLength.Here, output.WriteLine, Ct);
        await bed.AssertEqualAsync(Ct);
        await UpdateCount.AssertAppliedOnceAsync(bed, Ct);
    }

    private async Task<PipelineBed> BedAsync()
    {
        var bed = await PipelineBed.CreateAsync(
            servers.Source.ConnectionString("postgres"),
            servers.Engine.ConnectionString("postgres"),
            Ct
        );
        // A table that is truncated while it is stopped would wait for a person.
        bed.EngineOptions = bed.EngineOptions with
        {
            BatchRows = 200,
            MaxDeletedPercent = 100,
        };
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = CampaignLength.Here.ChunkRows };
        await bed.Source.ExecuteAsync(UpdateCount.Setup, Ct);
        return bed;
    }
}
