using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>One partition of the log, as its writer sees it.</summary>
internal sealed class LogLane
{
    private long _next;

    /// <param name="delivered">Called for every record when the brokers have answered.</param>
    /// <param name="end">Offset behind everything that was there.</param>
    public LogLane(LogPartition partition, Action<LogLane, DeliveryReport<byte[], byte[]>> delivered, long end)
    {
        (Index, Name, Partition, _next) = (partition.Index, partition.Name, new TopicPartition(partition.Topic, partition.Number), end);
        OnDelivered = report => delivered(this, report);
    }

    public int Index { get; }

    public string Name { get; }

    public TopicPartition Partition { get; }

    /// <summary>Offset after the last acknowledged record.</summary>
    public long Next
    {
        get => Interlocked.Read(ref _next);
        set => Interlocked.Exchange(ref _next, value);
    }

    /// <summary>Made once: the client is given it with every record.</summary>
    public Action<DeliveryReport<byte[], byte[]>> OnDelivered { get; }
}
