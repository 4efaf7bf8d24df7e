using Cdc.Log.Kafka;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Integration.Faults.Campaign;
using Cdc.Tests.Integration.Pipeline.Matrix;
using Cdc.Tests.Support;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>
/// The campaign over three brokers of which one may be away at any time, with a capture and two appliers, and at its end a reader of the topics
/// that shares no code with ours. By command only, as root: <c>CDC_CAMPAIGN_MINUTES=20 ./dev test ThreeBrokersCampaign</c>.
/// </summary>
[Trait("Needs", "CDC_KAFKA_HOME")]
[Trait("Needs", "CDC_CAMPAIGN_MINUTES")]
[Trait("Needs", "namespaces")]
public sealed class ThreeBrokersCampaignTests(OwnServers servers, ITestOutputHelper output) : IClassFixture<OwnServers>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_befalls_brokers_and_servers_engine_and_readers_end_with_Odoos_rows_and_meet_each_change_once()
    {
        var seed = TestSeed.Draw();
        output.WriteLine(TestSeed.Describe(seed));
        await using var cluster = await KafkaCluster.StartApartAsync(Ct);
        await using var bed = await BedAsync(cluster);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        var random = new Random(seed);
        var moves = new TableMoves(bed.Bed, null, random);
        await moves.PrepareAsync();
        await using var stage = new CampaignStage(
            bed.Bed,
            servers,
            [Program("capture"), Program("apply"), Program("apply")],
            moves,
            null,
            new ClusterFaults(cluster, bed, moves).All
        );
        await stage.PlayAsync(random, CampaignLength.Here, output.WriteLine, Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        // What the last reading deleted may still have to be said.
        var capture = await bed.StartProcessAsync("capture", null, Ct);
        var apply = await bed.StartProcessAsync("apply", null, Ct);
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.NothingIsOwedAsync(Ct);
        await capture.StopAsync(Signal.Terminate, Ct);
        await apply.StopAsync(Signal.Terminate, Ct);
        var views = await bed.AssertReadsOdooAsync(api, Ct);
        var generations = await bed.Bed.Engine.ScalarAsync<int>("SELECT generation FROM cdc.source", Ct);
        output.WriteLine(
            $"{views.Values.Sum(v => v.Records)} records read by the other reader, {views.Values.Sum(v => v.OwedEnds)} of them ends that a gap owed; "
                + $"{generations - 1} gaps; {views.Values.Sum(v => v.Rows.Count)} rows as Odoo's"
        );

        CampaignProgram Program(string command) => new(command, ct => bed.StartProcessAsync(command, null, ct));
    }

    private async Task<KafkaPipelineBed> BedAsync(KafkaCluster cluster)
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
        bed.SnapshotOptions = bed.SnapshotOptions with { ChunkRows = 500 };
        bed.SourceOptions = bed.SourceOptions with { AcceptGaps = true };
        var options = TestKafka.Unique(new KafkaOptions { BootstrapServers = cluster.BootstrapServers, Partitions = TestKafka.Partitions });
        return await KafkaPipelineBed.WithTopicsAsync(new KafkaPipelineBed(bed, options), Ct);
    }
}
