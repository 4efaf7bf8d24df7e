using System.Buffers.Binary;
using Cdc.Core.Changes;
using Cdc.Log.Kafka;
using Xunit;

namespace Cdc.Tests.Unit.Log.Kafka;

public sealed class KeyPlacementTests
{
    private const string Topic = "odoo.public.loyalty_card";
    private const int Partitions = 4;

    private static readonly LogTopics Topics = new("odoo.cdc.control", [(Topic, Partitions), ("odoo.public.other", 1)]);

    /// <summary>The last session knew of the topic, and wrote to it.</summary>
    private static readonly ControlRecord Remembered = ControlRecord.None with
    {
        Session = 3,
        Vector = new Dictionary<string, long> { [$"{Topic}/0"] = 7 },
    };

    [Fact]
    public void A_partition_comes_of_the_value_alone_as_Javas_producer_chooses_it_for_longs()
    {
        var placement = new KeyPlacement(Topics, new HashSet<string> { Topic });
        for (var key = -3L; key < 100; key++)
        {
            var bytes = new byte[sizeof(long)];
            BinaryPrimitives.WriteInt64BigEndian(bytes, key);
            var expected = Murmur2.PartitionOf(bytes, Partitions);
            Assert.Equal(expected, placement.Of(Topic, key, [0, 0, 0, 0, 1, 2]).Number);
            Assert.Equal(expected, placement.Of(Topic, key, [0, 0, 0, 0, 99, 2]).Number);
        }
    }

    [Fact]
    public void In_an_older_topic_it_comes_of_the_whole_key_as_before() =>
        Assert.Equal(
            Murmur2.PartitionOf([0, 0, 0, 0, 1, 84], Partitions),
            new KeyPlacement(Topics, new HashSet<string>()).Of(Topic, 42, [0, 0, 0, 0, 1, 84]).Number
        );

    [Fact]
    public void A_topic_without_records_is_new_whatever_was_remembered()
    {
        Assert.Contains(Topic, Decide(ControlRecord.None, _ => Tail(0)));
        Assert.Contains(Topic, Decide(Remembered, _ => Tail(0)));
    }

    [Fact]
    public void A_topic_with_records_keeps_what_it_began_with()
    {
        Assert.DoesNotContain(Topic, Decide(Remembered, _ => Tail(7)));
        Assert.Contains(Topic, Decide(Remembered with { ByValue = new HashSet<string> { Topic } }, _ => Tail(7)));
    }

    [Fact]
    public void Where_the_log_has_lost_its_memory_the_last_keys_say_it()
    {
        Assert.Contains(Topic, Decide(ControlRecord.None, p => Tail(7, KeyIn(p))));
        Assert.DoesNotContain(Topic, Decide(ControlRecord.None, p => Tail(7, KeyIn((p + 1) % Partitions))));
    }

    [Fact]
    public void Topics_that_are_not_declared_just_now_are_not_forgotten() =>
        Assert.Contains("odoo.public.gone", Decide(Remembered with { ByValue = new HashSet<string> { "odoo.public.gone" } }, _ => Tail(7)));

    private static IReadOnlySet<string> Decide(ControlRecord before, Func<int, PartitionTail> tailOf) =>
        KeyPlacement.Decide(Topics, before, [.. Topics.All.Select(p => p.Topic == Topic ? tailOf(p.Number) : Tail(1))]);

    private static PartitionTail Tail(long end, long? key = null) => new(end, ChangePosition.Origin, null) { LastKey = key };

    private static long KeyIn(int partition)
    {
        var key = 0L;
        while (KeyPlacement.OfValue(key, Partitions) != partition)
            key++;
        return key;
    }
}
