using Cdc.Core.Postgres.Values;
using Cdc.Core.Telemetry;
using Cdc.Host.Configuration;
using Cdc.Log;
using Cdc.Log.Kafka;
using Cdc.Log.Records;
using Cdc.Log.Registry;
using Cdc.Pipeline;
using Cdc.Pipeline.Sessions;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;

namespace Cdc.Tests.Support.Kafka;

/// <summary>A <see cref="PipelineBed"/> whose pipeline runs over Kafka, in this process, each end by itself.</summary>
public sealed class KafkaPipelineBed(PipelineBed bed, KafkaOptions kafka) : IAsyncDisposable
{
    /// <summary>On the servers and the cluster that all tests share, with its own topics.</summary>
    public static async Task<KafkaPipelineBed> CreateAsync(TestServers servers, TestKafka kafka, CancellationToken ct) =>
        await CreateAsync(servers, await kafka.OptionsAsync(), ct);

    /// <summary>On the PostgreSQL servers that all tests share, with its own topics.</summary>
    public static async Task<KafkaPipelineBed> CreateAsync(TestServers servers, KafkaOptions options, CancellationToken ct) =>
        await WithTopicsAsync(new KafkaPipelineBed(await PipelineBed.CreateAsync(servers, ct), options), ct);

    /// <summary>Makes its topics.</summary>
    public static async Task<KafkaPipelineBed> WithTopicsAsync(KafkaPipelineBed bed, CancellationToken ct)
    {
        await bed.CreateTopicsAsync(bed.DataTopics, ct);
        return bed;
    }

    private readonly List<IAsyncDisposable> _started = [];

    public PipelineBed Bed => bed;

    public KafkaOptions Kafka { get; set; } = kafka;

    public PipelineStatistics Statistics { get; } = new();

    /// <summary>Of what is started in this process from now on; says everything without schemas, unless Avro is set.</summary>
    public IRecordCodec Codec { get; private set; } = new PlainCodec(bed.Entities, kafka.TopicPrefix);

    public IReadOnlyList<string> DataTopics => LogTopics.DataTopics(bed.Entities, Codec.TopicOf);

    public KafkaClients Clients => new(Kafka, bed.Log);

    internal PipelineOptions Options =>
        new()
        {
            Source = bed.SourceOptions,
            Engine = bed.EngineOptions,
            Snapshot = bed.SnapshotOptions,
            Kafka = Kafka,
            Log = bed.LogOptions with { Kind = ChangeLogKind.Kafka },
        };

    /// <summary>Those of a log with these data topics.</summary>
    public Task CreateTopicsAsync(IReadOnlyList<string> topics, CancellationToken ct) => MadeTopics.MakeAsync(Kafka, topics, ct);

    /// <summary>Records as production writes them, by a writer that has just begun and has seen no schema yet.</summary>
    public void UseAvro(RegistryOptions registry) =>
        Codec = TopicCodec.Create(Options with { Registry = registry }, bed.Entities, bed.Engine.DataSource, "tests");

    public RunningEnd StartCapture() => Start(LogEnds.Capture);

    public RunningEnd StartApply() => Start(LogEnds.Apply);

    public RunningEnd StartBoth() => Start(LogEnds.Both);

    /// <summary>Starts the real <c>cdc capture</c>, <c>cdc apply</c> or <c>cdc run</c>, which writes records as production does.</summary>
    /// <param name="crashAt">Where it kills itself with SIGKILL: the name of a <c>CrashPoint</c>.</param>
    public async Task<WatchedProcess> StartProcessAsync(string command, string? crashAt, CancellationToken ct)
    {
        var process = await CdcProcess.StartAsync([command], Environment(crashAt), ct);
        _started.Add(process);
        return process;
    }

    /// <summary>Settings of a <c>cdc</c> process.</summary>
    public Dictionary<string, string?> Environment(string? crashAt = null)
    {
        var environment = new Dictionary<string, string?>(bed.Environment(crashAt));
        foreach (var (name, value) in Kafka.Environment())
            environment[name] = value;
        return environment;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var end in _started)
            await end.DisposeAsync();
        await bed.DisposeAsync();
    }

    private RunningEnd Start(LogEnds ends)
    {
        // As they are now: a test may change them for the next one before this one has begun.
        var (options, codec) = (Options, Codec);
        var end = new RunningEnd(stop => KafkaPipeline.RunAsync(options, bed.Entities, codec, ends, Statistics, bed.Log, stop));
        _started.Add(end);
        return end;
    }
}

/// <summary>One or both ends of the Kafka log, running.</summary>
public sealed class RunningEnd : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private bool _isDisposed;

    internal RunningEnd(Func<CancellationToken, Task> run) => Completion = Task.Run(() => run(_stop.Token));

    /// <summary>Ends when it was stopped, or with what stopped it.</summary>
    public Task Completion { get; }

    /// <summary>Throws what it failed with.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Completion.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>Also for one that was disposed before: its bed does it again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        await _stop.CancelAsync();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }
}
