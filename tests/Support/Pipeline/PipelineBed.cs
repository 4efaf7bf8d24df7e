using Cdc.Api;
using Cdc.Apply;
using Cdc.Capture;
using Cdc.Capture.Snapshot;
using Cdc.Core.Entities;
using Cdc.Engine;
using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Log;
using Cdc.Reconcile.Alerts;
using Cdc.Reconcile.Continuous;
using Cdc.Tests.Support.Equality;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Cdc.Workload;

namespace Cdc.Tests.Support.Pipeline;

/// <summary>
/// One test's own pipeline: a source database with Odoo's tables (empty), a migrated engine database, a slot and a publication of their
/// own. Start it in this process or as the real <c>cdc run</c>; only one at a time holds the slot. Disposing stops what still runs and
/// drops all of it.
/// </summary>
public sealed class PipelineBed : IAsyncDisposable
{
    /// <summary>Lines of the log that a time-out shows.</summary>
    private const int LastWords = 20;

    private readonly List<IAsyncDisposable> _started = [];

    private PipelineBed(TestDatabase source, TestDatabase engine)
    {
        (Source, Engine) = (source, engine);
        // Ten times as often as in production, so that tests wait less. Nothing may depend on it.
        var beat = TimeSpan.FromMilliseconds(100);
        SourceOptions = new SourceOptions
        {
            ConnectionString = source.ConnectionString,
            SlotName = source.Name,
            Publication = source.Name,
            HeartbeatInterval = beat,
        };
        EngineOptions = new EngineOptions { ConnectionString = engine.ConnectionString, FeedbackInterval = beat };
    }

    public TestDatabase Source { get; }
    public TestDatabase Engine { get; }

    /// <summary>Change these before a start; they act from then on.</summary>
    public SourceOptions SourceOptions { get; set; }
    public EngineOptions EngineOptions { get; set; }
    public SnapshotOptions SnapshotOptions { get; set; } = new();
    public LogOptions LogOptions { get; set; } = new();

    /// <summary>Only the real process serves it, and only where a test switches it on: many run beside each other.</summary>
    public ApiOptions ApiOptions { get; set; } = new() { Enabled = false };

    /// <summary>
    /// Only the real process compares by itself, and only where a test switches it on: others count their own runs and fences.
    /// </summary>
    public ContinuousOptions ContinuousOptions { get; set; } = new() { Enabled = false };

    public AlertOptions AlertOptions { get; set; } = new();

    /// <summary>The delivered declaration: card, move, history, program.</summary>
    public EntitySet Entities { get; set; } = EntityFile.Load(EntitiesPath);

    /// <summary>What the real process reads: a path, or the name of a preset.</summary>
    public string Declaration { get; set; } = EntitiesPath;

    /// <summary>What pipelines of this process logged.</summary>
    public RecordedLog Log { get; } = new();

    private static string EntitiesPath => SourceTree.PathOf("schemas/entities.json");

    /// <summary>On the servers that all tests share.</summary>
    public static async Task<PipelineBed> CreateAsync(TestServers servers, CancellationToken ct) =>
        new(await servers.CreateOdooAsync("pipe", ct), await servers.CreateEngineAsync("pipe_engine", ct));

    /// <summary>The same with the tables of a real Odoo, and the preset made for it.</summary>
    public static async Task<PipelineBed> CreateAsync(TestServers servers, OdooVersion version, CancellationToken ct)
    {
        var bed = new PipelineBed(await servers.CreateOdooAsync("pipe", ct, version), await servers.CreateEngineAsync("pipe_engine", ct))
        {
            Entities = EntityFile.Load(version.Preset() ?? EntitiesPath),
            Declaration = version.Preset() ?? EntitiesPath,
        };
        await DeclaredAggregate.EnsureAsync(bed.Engine.DataSource, bed.Entities, ct);
        return bed;
    }

    /// <summary>On any two servers, such as a <see cref="PgCluster"/> that the test is going to stop.</summary>
    /// <param name="sourceServer">Connection string of a superuser, to the database <c>postgres</c>.</param>
    /// <param name="engineServer">The same of the engine's server.</param>
    public static async Task<PipelineBed> CreateAsync(string sourceServer, string engineServer, CancellationToken ct)
    {
        var source = await TestDatabase.CreateAsync("pipe", sourceServer, ct);
        return await CreateAsync(source, await TestDatabase.CreateAsync("pipe_engine", engineServer, ct), ct);
    }

    /// <summary>In two databases that are empty, such as ones of another encoding.</summary>
    public static async Task<PipelineBed> CreateAsync(TestDatabase source, TestDatabase engine, CancellationToken ct)
    {
        await source.ExecuteAsync(OdooSchema.Sql, ct);
        await BedDatabases.MigrateAsync(engine, ct);
        return new PipelineBed(source, engine);
    }

    /// <summary>Over databases that have all they need.</summary>
    public static PipelineBed Over(TestDatabase source, TestDatabase engine) => new(source, engine);

    /// <summary>Starts the pipeline in this process, retries and standby included.</summary>
    public InProcessPipeline StartInProcess()
    {
        var pipeline = InProcessPipeline.Start(this);
        _started.Add(pipeline);
        return pipeline;
    }

    /// <summary>Drains the pipeline that was started last in this process, and starts another with the options as they are now.</summary>
    public async Task<InProcessPipeline> RestartInProcessAsync()
    {
        await StopInProcessAsync();
        return StartInProcess();
    }

    /// <summary>Drains the pipeline that was started last in this process.</summary>
    public Task StopInProcessAsync() => _started.OfType<InProcessPipeline>().Last().StopAsync();

    /// <summary>Starts the real <c>cdc run</c>.</summary>
    /// <param name="crashAt">Where it kills itself with SIGKILL: the name of a <c>CrashPoint</c>, or <c>name:N</c> for the N-th
    /// time.</param>
    public async Task<WatchedProcess> StartProcessAsync(string? crashAt = null, CancellationToken ct = default)
    {
        var process = await CdcProcess.StartAsync(["run"], Environment(crashAt), ct);
        _started.Add(process);
        return process;
    }

    /// <summary>This bed's options as environment variables of a <c>cdc</c> process.</summary>
    public IReadOnlyDictionary<string, string?> Environment(string? crashAt = null) =>
        new Dictionary<string, string?>([
            .. OptionVariables.Of("Source", SourceOptions),
            .. OptionVariables.Of("Engine", EngineOptions),
            .. OptionVariables.Of("Snapshot", SnapshotOptions),
            .. OptionVariables.Of("Log", LogOptions),
            .. OptionVariables.Of("Continuous", ContinuousOptions),
            .. OptionVariables.Of("Alerts", AlertOptions),
            .. OptionVariables.Of("Api", ApiOptions),
        ])
        {
            ["CDC_CRASH_AT"] = crashAt,
            ["CDC__Entities"] = Declaration,
        };

    /// <summary>
    /// Waits until the engine has all that was committed in the source before this call: <c>through</c> has reached the source's WAL, no
    /// chunk is pending, no row waits to be read again.
    /// </summary>
    /// <exception cref="TimeoutException">It does not get there; the message says how far it is, and what the pipeline said
    /// last.</exception>
    public async Task CaughtUpAsync(CancellationToken ct, TimeSpan? timeout = null)
    {
        try
        {
            await EngineProgress.CatchUpAsync(Source.DataSource, Engine.DataSource, ct, timeout);
        }
        catch (TimeoutException late)
        {
            // The newest first: what reports failures cuts long texts.
            throw new TimeoutException(
                string.Join(System.Environment.NewLine, Log.Lines.TakeLast(LastWords).Reverse().Prepend(late.Message)),
                late
            );
        }
    }

    /// <summary>The same of the stream alone: chunks and rows to be read again may be waiting.</summary>
    public Task StreamCaughtUpAsync(CancellationToken ct) => EngineProgress.StreamCatchUpAsync(Source.DataSource, Engine.DataSource, ct);

    /// <summary>All columns of all entities, by SQL. Only without writers, after <see cref="CaughtUpAsync"/>.</summary>
    /// <exception cref="NotEqualException">Source and engine differ.</exception>
    public async Task AssertEqualAsync(CancellationToken ct)
    {
        var report = await CompareAsync(ct);
        if (!report.AreEqual)
            throw new NotEqualException(report);
    }

    public Task<EqualityReport> CompareAsync(CancellationToken ct) =>
        new EqualityCheck(Entities).CompareAsync(Source.DataSource, Engine.DataSource, ct);

    public async ValueTask DisposeAsync()
    {
        foreach (var started in _started)
            await started.DisposeAsync();
        await Source.DisposeAsync();
        await Engine.DisposeAsync();
    }
}

/// <summary>Source and engine are not equal; the message has the first differences.</summary>
public sealed class NotEqualException(EqualityReport report) : Exception(report.ToString());
