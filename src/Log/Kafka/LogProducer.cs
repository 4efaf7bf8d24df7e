using Cdc.Core.Failures;
using Confluent.Kafka;

namespace Cdc.Log.Kafka;

/// <summary>
/// Appends records to partitions and knows what was acknowledged: never a record of a partition before those appended to it earlier. The
/// first error ends all of it, so that a partition is never appended to behind a record that failed.
/// </summary>
internal abstract class LogProducer(KafkaClients clients, IProducer<byte[], byte[]> client) : IDisposable
{
    protected static readonly TimeSpan LastWords = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    protected KafkaClients Clients => clients;

    /// <summary>What is appended now goes by it.</summary>
    protected virtual IProducer<byte[], byte[]> Client => client;

    /// <summary>By the partition's index.</summary>
    protected IReadOnlyList<LogLane> Lanes { get; private set; } = [];

    /// <summary>Fails with the first error; never ends otherwise.</summary>
    public Task Failed => _failed.Task;

    /// <exception cref="CdcException">Configuration: librdkafka refuses a setting.</exception>
    public static LogProducer Create(KafkaClients clients) =>
        clients.TransactionalIds is { Count: > 0 } ids
            ? new TransactionalLogProducer(clients, [.. ids.Select(id => (id, clients.TransactionalProducer(id)))])
            : new PlainLogProducer(clients, clients.Producer());

    /// <summary>If brokers can: afterwards earlier writers cannot append, and what is unacknowledged stays so.</summary>
    public abstract Task FenceAsync(CancellationToken ct);

    /// <summary>Once, before the first record.</summary>
    public virtual void Begin(IReadOnlyList<LogPartition> partitions, IReadOnlyList<PartitionTail> tails) =>
        Lanes = [.. partitions.Select(p => new LogLane(p, Delivered, tails[p.Index].End))];

    /// <summary>By one thread at a time.</summary>
    /// <param name="value">Null: a tombstone.</param>
    /// <param name="row">The row's primary key, for messages; null: the record is of no row.</param>
    public abstract void Append(int partition, byte[]? key, byte[]? value, long? row = null);

    /// <summary>
    /// Calls back, in the order of calls, when everything appended so far is acknowledged: at once, or on another thread.
    /// </summary>
    public abstract void Mark(Action reached);

    /// <summary>One record of another topic, acknowledged when the task ends.</summary>
    public abstract Task AppendAsideAsync(TopicPartition partition, byte[] key, byte[] value, CancellationToken ct);

    /// <summary>Ends when everything appended so far is acknowledged.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Mark(reached.SetResult);
        var first = await Task.WhenAny(reached.Task, Failed).WaitAsync(ct);
        await first;
    }

    /// <summary>All that is acknowledged now lies below it. At least as far as every boundary that was reached before the call.</summary>
    public IReadOnlyDictionary<string, long> Vector()
    {
        var vector = new Dictionary<string, long>(Lanes.Count);
        foreach (var lane in Lanes)
            vector[lane.Name] = lane.Next;
        return vector;
    }

    /// <summary>What is on its way has a moment to arrive: the less the next session sends again.</summary>
    public abstract void Dispose();

    protected abstract void Delivered(LogLane lane, DeliveryReport<byte[], byte[]> report);

    protected void Fail(Exception error) => _failed.TrySetException(error);

    /// <summary>Hands it to the client.</summary>
    /// <exception cref="CdcException">Preflight: it is larger than the client takes.</exception>
    protected void Produce(LogLane lane, byte[]? key, byte[]? value, long? row)
    {
        lane.Sends(row, (key?.Length ?? 0) + (value?.Length ?? 0));
        try
        {
            Client.Produce(lane.Partition, new Message<byte[], byte[]> { Key = key!, Value = value! }, lane.OnDelivered);
        }
        catch (ProduceException<byte[], byte[]> e) when (e.Error.Code == ErrorCode.MsgSizeTooLarge)
        {
            throw KafkaFailure.TooLarge(lane.Partition.Topic, lane.Largest, e);
        }
    }

    /// <summary>Why a record does not count as acknowledged; null: it does.</summary>
    protected Exception? RefusalOf(LogLane lane, DeliveryReport<byte[], byte[]> report)
    {
        if (report.Error.Code is ErrorCode.MsgSizeTooLarge or ErrorCode.InvalidMsgSize)
            return KafkaFailure.TooLarge(lane.Partition.Topic, lane.Largest, new KafkaException(report.Error));
        if (report.Error.Code == ErrorCode.TopicAuthorizationFailed)
            return clients.Denied(
                new KafkaRight(KafkaResource.Topic, lane.Partition.Topic, KafkaOperation.Write),
                new KafkaException(report.Error)
            );
        // A repeated request may be acknowledged without its offset; vectors are made of offsets, and the next session reads the ends.
        if (report.Error.IsError || report.Offset.IsSpecial)
            return new KafkaException(
                report.Error.IsError ? report.Error : new Error(ErrorCode.Local_Fail, "a record was acknowledged without its offset")
            );
        // A topic that was made anew takes records from its beginning, as if nothing had been in it.
        return report.Offset.Value < lane.Next ? KafkaFailure.Behind(lane.Name, report.Offset.Value, lane.Next) : null;
    }
}
