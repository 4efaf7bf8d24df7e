using Cdc.Apply.Partitions;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine;
using Cdc.Engine.Tables;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Cdc.Pipeline.Setup;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline.Sessions;

/// <summary>One session of one worker that applies the Kafka log: log to engine. Any number of them share the partitions.</summary>
internal sealed class ApplyLogSession(
    PipelineOptions options,
    EntitySet entities,
    IRecordCodec codec,
    PipelineStatistics statistics,
    ILogger log
) : IPipelineSession
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(500);

    private readonly EngineTableWatch _tables = new(entities, log);
    private readonly Preconditions _preconditions = new(options, entities, log);

    private volatile PartitionSession? _session;

    public bool HasProgressed => _session is { HasCommitted: true };

    public void LookAgain() => _preconditions.Again();

    public int? Generation { get; private set; }

    /// <summary>The capture makes the new generation, when it sees that a gap was declared; this worker waits for it.</summary>
    public Task AcceptGapAsync(CancellationToken ct) => Task.Delay(PollInterval, ct);

    public async Task RunAsync(Action started, CancellationToken stop)
    {
        _session = null;
        await _preconditions.CheckEngineSideAsync(stop);
        var followed = await new SourceTable(options.Engine).ReadAsync(stop);
        if (followed is not { State: not SourceState.Creating })
            throw new CdcException(
                FailureKind.Unavailable,
                "The engine follows no source yet.",
                "Start 'cdc capture' (or 'cdc run'): it begins to follow the source."
            );
        Generation = followed.Generation;
        var clients = new KafkaClients(options.Kafka, log);
        // Before a topic is asked for: what is refused there names one right, and this names all that are missing.
        var plan = new TopicPlan(options.Kafka, LogTopics.DataTopics(entities, codec.TopicOf));
        await new RightsCheck(clients).RequireAsync(LeastRights.OfLog(KafkaRole.Apply, clients, plan), stop);
        var topics = await LogTopics.ReadAsync(clients, entities, codec, stop);
        var session = new PartitionSession(options.Engine, _tables, topics, Reader, statistics, log);
        _session = session;
        started();
        await session.RunAsync(stop);

        KafkaLogReader Reader(TakePartitions take) => new(clients, topics, codec, options.Log.MaxBytes, take, log);
    }
}
