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

    /// <summary>The largest record on its way, or lately. What brokers refuse as too large they do not name.</summary>
    public LargeRecord? Largest { get; private set; }

    /// <summary>By the one thread that appends.</summary>
    public void Sends(long? row, int bytes)
    {
        if (bytes > (Largest?.Bytes ?? 0))
            Largest = new LargeRecord(row, bytes);
    }

    /// <summary>All of it has arrived.</summary>
    public void Forget() => Largest = null;

    /// <summary>Made once: the client is given it with every record.</summary>
    public Action<DeliveryReport<byte[], byte[]>> OnDelivered { get; }
}

/// <param name="Row">Its row's primary key; null: it is of no row.</param>
/// <param name="Bytes">Of key and value.</param>
internal sealed record LargeRecord(long? Row, int Bytes);
