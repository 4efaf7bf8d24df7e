using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>For brokers without transactions: a record is acknowledged when all in-sync replicas have it. No writer is fenced.</summary>
internal sealed class PlainLogProducer(KafkaClients clients, IProducer<byte[], byte[]> client) : LogProducer(clients, client)
{
    /// <summary>A point after some records: reached when the brokers have acknowledged all of them.</summary>
    private sealed record Boundary(long[] Appended, long Total, Action Reached);

    private readonly Lock _lock = new();
    private readonly Queue<Boundary> _boundaries = new();

    /// <summary>Records of each lane.</summary>
    private long[] _appended = [];
    private long[] _acknowledged = [];
    private long _totalAppended;
    private long _totalAcknowledged;

    /// <summary>Below this count the first boundary cannot be reached, so boundaries need no check.</summary>
    private long _checkFrom = long.MaxValue;

    public override Task FenceAsync(CancellationToken ct) => Task.CompletedTask;

    public override void Begin(IReadOnlyList<LogPartition> partitions, IReadOnlyList<PartitionTail> tails)
    {
        base.Begin(partitions, tails);
        (_appended, _acknowledged) = (new long[Lanes.Count], new long[Lanes.Count]);
    }

    public override void Append(int partition, byte[]? key, byte[]? value, long? row = null)
    {
        var lane = Lanes[partition];
        _appended[partition]++;
        _totalAppended++;
        Produce(lane, key, value, row);
    }

    public override void Mark(Action reached)
    {
        lock (_lock)
        {
            _boundaries.Enqueue(new Boundary([.. _appended], _totalAppended, reached));
            Advance();
        }
    }

    public override Task AppendAsideAsync(TopicPartition partition, byte[] key, byte[] value, CancellationToken ct) =>
        Client.ProduceAsync(partition, new Message<byte[], byte[]> { Key = key, Value = value }, ct);

    public override void Dispose()
    {
        try
        {
            if (!Failed.IsCompleted)
                Client.Flush(LastWords);
        }
        catch (KafkaException)
        {
            // The next session reads the tails.
        }
        Client.Dispose();
    }

    /// <summary>In the order in which the records of a lane were appended.</summary>
    protected override void Delivered(LogLane lane, DeliveryReport<byte[], byte[]> report)
    {
        // Behind a failed record nothing counts: the rest of its partition may or may not be there.
        if (Failed.IsCompleted)
            return;
        if (RefusalOf(lane, report) is { } refused)
        {
            Fail(refused);
            return;
        }
        lane.Next = report.Offset.Value + 1;
        Interlocked.Increment(ref _acknowledged[lane.Index]);
        if (++_totalAcknowledged < Volatile.Read(ref _checkFrom))
            return;
        lock (_lock)
            Advance();
    }

    private void Advance()
    {
        while (_boundaries.TryPeek(out var first))
        {
            // Before the lanes are read: an acknowledgement counts first and compares then, so one of the two threads sees the other.
            Volatile.Write(ref _checkFrom, first.Total);
            Interlocked.MemoryBarrier();
            if (!IsReached(first))
                return;
            _boundaries.Dequeue().Reached();
        }
        Volatile.Write(ref _checkFrom, long.MaxValue);
        foreach (var lane in Lanes)
            lane.Forget();
    }

    private bool IsReached(Boundary boundary)
    {
        for (var i = 0; i < _acknowledged.Length; i++)
            if (Interlocked.Read(ref _acknowledged[i]) < boundary.Appended[i])
                return false;
        return true;
    }
}
