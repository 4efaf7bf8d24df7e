using Cdc.Apply.Partitions;
using Cdc.Capture;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Telemetry;
using Cdc.Engine.LogCapture;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Cdc.Pipeline.Setup;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline.Sessions;

/// <summary>
/// One session of Capture over Kafka: source to log. The slot is confirmed up to what the brokers have acknowledged, so it continues while
/// the engine is down; only its beginning needs the engine.
/// </summary>
internal sealed class CaptureLogSession(
    PipelineOptions options,
    EntitySet entities,
    IRecordCodec codec,
    PipelineStatistics statistics,
    ILogger log
) : IPipelineSession
{
    private readonly PauseGate _gate = new(options.Engine);
    private readonly Preconditions _preconditions = new(options, entities, log);
    private readonly SourceSetup _setup = new(options, entities, log);

    private volatile KafkaLogSession? _kafka;

    public bool HasProgressed => _kafka is { Through.Value: > 0 };

    public void LookAgain() => _preconditions.Again();

    public int? Generation => _setup.Generation;

    public Task AcceptGapAsync(CancellationToken ct) => _setup.BeginGenerationAsync(ct);

    public async Task RunAsync(Action started, CancellationToken stop)
    {
        _kafka = null;
        await _gate.RequireOpenAsync(stop);
        await _preconditions.CheckAsync(stop);
        var clients = new KafkaClients(options.Kafka, log);
        // Before the engine says that it follows a source, for which an apply waits: it finds them then.
        if (options.Kafka.CreateTopics)
            await CreateTopicsAsync(clients, stop);
        await using var capture = await CaptureSession.ConnectAsync(options.Source, options.Snapshot, entities, log, stop);
        await _setup.PrepareAsync(capture, stop);
        await capture.AcquireSlotAsync(stop);
        // Before a topic is asked for: what is refused there names one right, and this names all that are missing.
        await new RightsCheck(clients).RequireAsync(LeastRights.OfLog(KafkaRole.Capture, clients, Plan), stop);
        var topics = await LogTopics.ReadAsync(clients, entities, codec, stop);
        await using var kafka = await KafkaLogSession.OpenAsync(clients, topics, codec, _setup.Generation!.Value, log, stop);
        await using var engine = await CaptureEngineSide.OpenAsync(options.Engine, entities, kafka, log, stop);
        _kafka = kafka;
        started();
        await StreamAsync(capture, kafka, engine, stop);
    }

    private TopicPlan Plan => new(options.Kafka, LogTopics.DataTopics(entities, codec.TopicOf));

    private async Task CreateTopicsAsync(KafkaClients clients, CancellationToken ct)
    {
        foreach (var topic in await new TopicAdministration(clients, Plan).CreateAsync(ct))
            PipelineLog.TopicCreated(log, topic);
    }

    private async Task StreamAsync(CaptureSession capture, KafkaLogSession kafka, CaptureEngineSide engine, CancellationToken stop)
    {
        using var failed = new CancellationTokenSource();
        var writer = kafka.Write(codec, engine, options.Log.MaxBytes, statistics, stop);
        var seams = new CaptureSeams(
            kafka.ResumeFrom(engine.Generation, engine.Session),
            engine.Tables,
            kafka,
            engine.ChunkQueue,
            engine.ChunkSink,
            engine.Fences,
            writer,
            statistics
        );
        var letters = new DeadLetters(
            entities,
            entity => LogTopics.DeadLetterTopic(options.Kafka.TopicPrefix, codec.TopicOf(entity)),
            kafka,
            engine,
            log
        );
        Task[] all =
        [
            Task.Run(() => capture.RunAsync(seams, options.Engine.FeedbackInterval, stop, failed.Token), CancellationToken.None),
            Task.Run(() => engine.RunAsync(failed.Token), CancellationToken.None),
            Task.Run(() => letters.RunAsync(failed.Token), CancellationToken.None),
        ];
        await TaskGroup.EndAsync(failed, await Task.WhenAny([.. all, kafka.Failed]), all);
    }
}
