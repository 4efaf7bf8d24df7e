using System.Buffers.Binary;

namespace Cdc.Log.Kafka;

/// <summary>
/// Which partition a key has. In topics made since there is a choice it comes of the key's value alone: eight bytes, the highest first, as
/// Kafka's own serializer of longs writes it. In older ones it comes of the whole key as it is in the record, the schema's id included, so
/// that another schema moves it. A topic keeps what it began with for as long as it has had a record.
/// </summary>
internal sealed class KeyPlacement
{
    /// <summary>What the partition comes of, and among which.</summary>
    private readonly record struct Place(IReadOnlyList<LogPartition> Partitions, bool ByValue);

    private readonly Dictionary<string, Place> _places;

    /// <param name="byValue">Topics whose partitions come of the key's value.</param>
    public KeyPlacement(LogTopics topics, IReadOnlySet<string> byValue) =>
        _places = topics.Names.ToDictionary(t => t, t => new Place(topics.Of(t), byValue.Contains(t)));

    /// <param name="key">The row's primary key.</param>
    /// <param name="record">The same as it is in the record.</param>
    public LogPartition Of(string topic, long key, ReadOnlySpan<byte> record)
    {
        var place = _places[topic];
        var count = place.Partitions.Count;
        return place.Partitions[place.ByValue ? OfValue(key, count) : Murmur2.PartitionOf(record, count)];
    }

    /// <returns>0 to <paramref name="partitions"/> - 1.</returns>
    public static int OfValue(long key, int partitions)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, key);
        return Murmur2.PartitionOf(bytes, partitions);
    }

    /// <summary>What the log remembers, for topics as they are now.</summary>
    /// <param name="before">Of the last session.</param>
    /// <param name="tails">By the partition's index.</param>
    /// <returns>Topics whose partitions come of the key's value; those that the log does not have any more too.</returns>
    public static IReadOnlySet<string> Decide(LogTopics topics, ControlRecord before, IReadOnlyList<PartitionTail> tails)
    {
        var byValue = before.ByValue.Except(topics.Names).ToHashSet();
        foreach (var topic in topics.Names)
            if (IsByValue([.. topics.Of(topic).Select(p => (p.Number, tails[p.Index]))], before, topic))
                byValue.Add(topic);
        return byValue.Count == 0 ? ControlRecord.None.ByValue : byValue;
    }

    private static bool IsByValue(IReadOnlyList<(int Number, PartitionTail Tail)> tails, ControlRecord before, string topic) =>
        // It is new, or was made anew.
        tails.All(t => t.Tail.End == 0)
        || (
            before.Session > 0
                ? before.ByValue.Contains(topic)
                // The log has lost its memory: its keys say it.
                : tails.All(t => t.Tail.LastKey is not { } key || OfValue(key, tails.Count) == t.Number)
        );
}
