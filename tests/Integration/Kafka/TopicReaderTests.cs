using System.Text.Json.Nodes;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>
/// A reader in Python that knows nothing of cdc, and keeps the last record of each key. Kafka for Python cannot read committed records
/// alone, and a capture that is killed leaves others: so over a broker without transactions.
/// </summary>
public sealed class TopicReaderTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_reads_the_topics_alone_never_goes_back_while_tables_are_read_again_and_capture_is_killed_under_load()
    {
        await using var broker = await KafkaBroker.StartAsync(new KafkaBrokerSettings { Home = KafkaHome.FindOld() }, Ct);
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, TestKafka.OptionsOf(broker), Ct);
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        bed.Bed.SnapshotOptions = bed.Bed.SnapshotOptions with { ChunkRows = 20 };
        await bed.Bed.FillAsync(Ct, cards: 100);
        var capture = await bed.StartProcessAsync("capture", null, Ct);
        await bed.StartProcessAsync("apply", null, Ct);
        await bed.Bed.EqualByItselfAsync(Ct);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var writing = Task.Run(() => LoadAsync(bed, enough.Token), Ct);
        for (var kill = 1; kill <= 4; kill++)
        {
            var before = await ChunksAsync(bed);
            await bed.Bed.Engine.ExecuteAsync(
                "INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', 'card'), ('snapshot', 'history')",
                Ct
            );
            await Eventually.True(
                "some chunks are in, and others are on their way",
                async () => await ChunksAsync(bed) >= before + (3 * kill),
                () => Task.FromResult(capture.Tail),
                ct: Ct
            );
            await capture.StopAsync(Signal.Kill, Ct);
            capture = await bed.StartProcessAsync("capture", null, Ct);
        }
        await enough.CancelAsync();
        await writing;
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);

        var answer = await bed.AskPeerAsync(api, Ct);

        foreach (var entity in bed.Bed.Entities.All)
        {
            var read = answer[bed.Codec.TopicOf(entity)]!;
            Assert.Empty((JsonArray)read["wrong"]!);
            Assert.True(
                JsonNode.DeepEquals(await bed.RowsAsync(entity, Ct), read["rows"]),
                $"{entity.Name} in the topic is not what it is in Odoo."
            );
        }
    }

    /// <summary>Rows that are updated, come, go, and change their key.</summary>
    private static async Task LoadAsync(KafkaPipelineBed bed, CancellationToken ct)
    {
        for (var i = 1; !ct.IsCancellationRequested; i++)
            await bed.Bed.Source.ExecuteAsync(
                $"""
                UPDATE loyalty_card SET points = {i} WHERE id % 50 = {i % 50};
                DELETE FROM loyalty_point_history WHERE id = {1000 + i - 20};
                INSERT INTO loyalty_point_history (id, loyalty_card_id, points_balance, origin) VALUES ({1000 + i}, {(i % 100)
                    + 1}, {i}, 'order');
                UPDATE loyalty_point_history SET id = {-i} WHERE id = {(i % 20 == 0 ? 1000 + i - 10 : 0)};
                """,
                Ct
            );
    }

    private static Task<long> ChunksAsync(KafkaPipelineBed bed) =>
        bed.Bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.chunks WHERE state = 'done'", Ct);
}
