using Cdc.Core.Changes;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>What a TRUNCATE is to those who read the topics, where each key ends by itself (Kafka:Truncates=Deletes, the default).</summary>
public sealed class KafkaTruncatesTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_key_ends_with_a_delete_and_a_tombstone_in_its_place_and_no_record_is_a_truncate()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        await bed.StreamAsync(Ct);
        // A row in quarantine is in no engine table, and its key is known all the same. One that was deleted before does not end twice.
        await bed.Bed.Source.ExecuteAsync(
            """
            UPDATE loyalty_point_history SET points_balance = 9 WHERE id <= 20;
            DELETE FROM loyalty_point_history WHERE id = 50;
            UPDATE loyalty_card SET points = -1 WHERE id = 7;
            BEGIN;
            INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount) VALUES (60, 9, 9);
            TRUNCATE loyalty_point_history, loyalty_point_move, loyalty_card;
            INSERT INTO loyalty_card (id, program_id, code) VALUES (5, 1, 'again');
            INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount) VALUES (3, 5, 3), (900, 5, 9);
            COMMIT;
            """,
            Ct
        );
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        AssertEnds(bed, "history", deletes: 51, left: [3, 900]);
        AssertEnds(bed, "card", deletes: 50, left: [5]);
        AssertEnds(bed, "move", deletes: 50, left: []);
    }

    [Fact]
    public async Task A_capture_that_waits_for_the_engine_at_a_truncate_obeys_a_stop_and_the_next_one_goes_on()
    {
        await using var bed = await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
        var (capture, apply) = await bed.StreamApartAsync(Ct);
        await apply.StopAsync();
        await bed.Bed.Source.ExecuteAsync(
            "UPDATE loyalty_point_history SET points_balance = 9; TRUNCATE loyalty_point_history; UPDATE loyalty_card SET points = points + 1",
            Ct
        );
        await bed.SaysAsync("TRUNCATE of public.loyalty_point_history", Ct);
        await capture.StopAsync();
        bed.StartBoth();
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        AssertEnds(bed, "history", deletes: 50, left: []);
        Assert.Equal("1", Assert.Single(await bed.Bed.Engine.RowsAsync("SELECT DISTINCT sync_version FROM loyalty_cards", Ct)));
    }

    /// <summary>For a reader that knows keys, deletes and tombstones alone.</summary>
    private static void AssertEnds(KafkaPipelineBed bed, string entity, int deletes, long[] left)
    {
        var topic = bed.Codec.TopicOf(bed.Bed.Entity(entity));
        var (rows, deleted, tombstones) = (new HashSet<long>(), 0, 0);
        foreach (var partition in TopicRecords.PartitionsOf(topic))
        {
            var (decoder, last) = (bed.Codec.Decoder(topic), ChangePosition.Origin);
            foreach (var record in bed.RecordsOf(partition))
            {
                if (record.Value is null)
                {
                    tombstones++;
                    continue;
                }
                var changes = new List<ChangeEvent>();
                Assert.True(decoder.TryDecode(record.Key, record.Value, changes, out _));
                var change = Assert.IsType<RowChange>(changes[0]);
                Assert.True(change.Position > last, $"{change.Position} comes behind {last}");
                last = change.Position;
                if (change.Kind != RowChangeKind.Delete)
                {
                    rows.Add(change.Key);
                    continue;
                }
                Assert.True(rows.Remove(change.Key), $"{change.Key} ends twice");
                deleted++;
            }
        }
        Assert.Equal((deletes, deletes), (deleted, tombstones));
        Assert.Equal(left, rows.Order());
    }
}
