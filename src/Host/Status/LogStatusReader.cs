using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Host.Configuration;
using Cdc.Log;
using Cdc.Log.Kafka;
using Microsoft.Extensions.Logging;

namespace Cdc.Host.Status;

/// <summary>Reads how far the engine is behind the Kafka log. For one at a time.</summary>
/// <param name="topics">By topic, the entities that it feeds.</param>
internal sealed class LogStatusReader(KafkaOptions options, ILookup<string, string> topics, ILogger log, TimeProvider time) : IDisposable
{
    /// <summary>A status command that asks every second must not hang on brokers that do not answer.</summary>
    private static readonly TimeSpan TimeOut = TimeSpan.FromSeconds(3);

    private readonly LogEndReader _ends = new(new KafkaClients(options, log), TimeOut);

    public string Name { get; } = $"Kafka {options.BootstrapServers}";

    /// <returns>Null: the log is in-process.</returns>
    public static LogStatusReader? For(CdcOptions options, EntitySet entities, ILogger log, TimeProvider time) =>
        options.Log.Kind == ChangeLogKind.Kafka
            ? new LogStatusReader(options.Kafka, entities.All.ToLookup(LogTopics.TopicOf(entities, options.Kafka), e => e.Name), log, time)
            : null;

    /// <param name="engine">Read before; null: it cannot be read, and only whether the brokers answer is known.</param>
    /// <returns>Null where the engine is.</returns>
    /// <exception cref="CdcException">Unavailable: the brokers do not answer. Preflight: a topic is missing, or has another number of
    /// partitions than before.</exception>
    public async Task<LogStatus?> ReadAsync(EngineStatus? engine, SourceStatus? source, CancellationToken ct)
    {
        try
        {
            var ends = await _ends.ReadAsync([.. topics.Select(t => t.Key)], ct);
            if (engine is null)
                return null;
            string[] known = [.. (engine.Log?.Partitions ?? []).Select(p => p.Partition)];
            foreach (var (topic, partitions) in ends)
                if (PartitionCount.Compare(topic, partitions.Count, known) is { } changed)
                    throw changed;
            return WithStopped(Lag.Of(engine, source, ends, source?.Now ?? time.GetUtcNow()), engine);
        }
        catch (Exception e) when (KafkaFailure.Explain(e) is { } failure)
        {
            throw failure;
        }
    }

    public void Dispose() => _ends.Dispose();

    /// <summary>Records of a stopped table are passed by: that none waits does not make it fresh.</summary>
    private LogStatus WithStopped(LogStatus status, EngineStatus engine)
    {
        List<PartitionStatus> partitions =
        [
            .. status.Partitions.Select(p => p.With(StoppedTopic.Of([.. engine.Entities.Where(e => topics[p.Topic].Contains(e.Entity))]))),
        ];
        return status with
        {
            Partitions = partitions,
            SecondsBehind = status.SecondsBehind is null ? null : partitions.Max(p => p.SecondsBehind),
        };
    }
}
