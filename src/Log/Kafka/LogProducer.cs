using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>
/// Appends records to partitions and knows what was acknowledged. Records of a partition are acknowledged in the order they were appended;
/// the first error ends all of it, so that a partition is never appended to behind a record that failed.
/// </summary>
internal sealed class LogProducer : IDisposable
{
    /// <summary>A point after some records: reached when the brokers have acknowledged all of them.</summary>
    private sealed record Boundary(long[] Appended, long Total, Action Reached);

    private sealed class Lane
    {
        public required TopicPartition Partition { get; init; }
        public required string Name { get; init; }
        public required Action<DeliveryReport<byte[], byte[]>> Delivered { get; init; }
        public long Appended;
        public long Acknowledged;
        /// <summary>Offset after the last acknowledged record.</summary>
        public long Next;
    }

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private readonly IProducer<byte[], byte[]> _producer;
    private readonly Lane[] _lanes;
    private readonly Lock _lock = new();
    private readonly Queue<Boundary> _boundaries = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _appended;
    private long _acknowledged;
    /// <summary>Below it the first boundary cannot be reached; nothing need be looked at.</summary>
    private long _worthALook = long.MaxValue;

    public LogProducer(KafkaClients clients, IReadOnlyList<LogPartition> partitions, IReadOnlyList<PartitionTail> tails)
    {
        _producer = clients.Producer();
        _lanes = [.. partitions.Select(p => LaneOf(p, tails[p.Index].End))];
    }

    /// <summary>Fails with the first error; never ends otherwise.</summary>
    public Task Failed => _failed.Task;

    /// <summary>By one thread at a time.</summary>
    /// <param name="value">Null: a tombstone.</param>
    public void Append(int partition, byte[]? key, byte[]? value)
    {
        var lane = _lanes[partition];
        lane.Appended++;
        _appended++;
        _producer.Produce(lane.Partition, new Message<byte[], byte[]> { Key = key!, Value = value! }, lane.Delivered);
    }

    /// <summary>Calls back, in the order of calls, when everything appended so far is acknowledged: at once, or on the client's thread.</summary>
    public void Mark(Action reached)
    {
        lock (_lock)
        {
            _boundaries.Enqueue(new Boundary([.. _lanes.Select(l => l.Appended)], _appended, reached));
            Advance();
        }
    }

    /// <summary>Ends when everything appended so far is acknowledged.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Mark(reached.SetResult);
        var first = await Task.WhenAny(reached.Task, Failed).WaitAsync(ct).ConfigureAwait(false);
        await first.ConfigureAwait(false);
    }

    /// <summary>All that is acknowledged now lies below it. At least as far as every boundary that was reached before the call.</summary>
    public IReadOnlyDictionary<string, long> Vector()
    {
        var vector = new Dictionary<string, long>(_lanes.Length);
        foreach (var lane in _lanes) vector[lane.Name] = Interlocked.Read(ref lane.Next);
        return vector;
    }

    /// <summary>One record of another topic, acknowledged when the task ends.</summary>
    public Task AppendAsideAsync(TopicPartition partition, byte[] key, byte[] value, CancellationToken ct) =>
        _producer.ProduceAsync(partition, new Message<byte[], byte[]> { Key = key, Value = value }, ct);

    /// <summary>What is on its way has a moment to arrive: the less the next session sends again.</summary>
    public void Dispose()
    {
        try
        {
            if (!Failed.IsCompleted) _producer.Flush(LastWords);
        }
        catch (KafkaException)
        {
            // The next session reads the tails.
        }
        _producer.Dispose();
    }

    private Lane LaneOf(LogPartition partition, long end)
    {
        Lane lane = null!;
        lane = new Lane
        {
            Partition = new TopicPartition(partition.Topic, partition.Number), Name = partition.Name, Next = end, Delivered = report => Delivered(lane, report),
        };
        return lane;
    }

    private void Delivered(Lane lane, DeliveryReport<byte[], byte[]> report)
    {
        // A repeated request may be acknowledged without its offset; vectors are made of offsets, and the next session reads the ends.
        if (report.Error.IsError || report.Offset.IsSpecial)
        {
            _failed.TrySetException(new KafkaException(report.Error.IsError ? report.Error : new Error(ErrorCode.Local_Fail, "a record was acknowledged without its offset")));
            return;
        }
        // Behind a failed record nothing counts: the rest of its partition may or may not be there.
        if (_failed.Task.IsCompleted) return;
        // A topic that was made anew takes records from its beginning, as if nothing had been in it.
        if (report.Offset.Value < lane.Next)
        {
            _failed.TrySetException(KafkaFailure.Behind(lane.Name, report.Offset.Value, lane.Next));
            return;
        }
        Interlocked.Exchange(ref lane.Next, report.Offset.Value + 1);
        Interlocked.Increment(ref lane.Acknowledged);
        if (++_acknowledged < Volatile.Read(ref _worthALook)) return;
        lock (_lock) Advance();
    }

    private void Advance()
    {
        while (_boundaries.TryPeek(out var first))
        {
            // Before the look at the lanes: whoever acknowledges counts first and compares then, so one of the two sees the other.
            Volatile.Write(ref _worthALook, first.Total);
            Interlocked.MemoryBarrier();
            if (!IsReached(first)) return;
            _boundaries.Dequeue().Reached();
        }
        Volatile.Write(ref _worthALook, long.MaxValue);
    }

    private bool IsReached(Boundary boundary)
    {
        for (var i = 0; i < _lanes.Length; i++)
            if (Interlocked.Read(ref _lanes[i].Acknowledged) < boundary.Appended[i]) return false;
        return true;
    }
}
