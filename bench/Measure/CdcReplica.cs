using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Declaration;
using Cdc.Log.Kafka;
using Cdc.Testing;
using Cdc.Testing.Kafka;
using Cdc.Testing.Processes;
using Cdc.Tests.Support.Kafka;

namespace Cdc.Bench.Measure;

/// <summary>The real <c>cdc run</c>, with the settings it has by itself (and any CDC__ variables of this process).</summary>
/// <param name="more">Settings besides.</param>
internal sealed class CdcReplica(BenchServers servers, OdooSource source, IReadOnlyDictionary<string, string?>? more = null) : IReplica
{
    public const string Publication = "cdc_loyalty";
    private const string DatabaseName = "engine";
    private const string Migrated = "engine_migrated";

    private const string StreamingSql = "SELECT EXISTS (SELECT FROM cdc.source WHERE state = 'streaming')";
    private const string LoadedSql = """
        SELECT EXISTS (SELECT FROM cdc.tables) AND NOT EXISTS (SELECT FROM cdc.tables WHERE state = 'loading')
            AND NOT EXISTS (SELECT FROM cdc.chunks WHERE state = 'pending')
        """;

    /// <summary>Those that the process takes, if the caller says no others.</summary>
    public static EntitySet Entities { get; } =
        EntityFile.Load(System.Environment.GetEnvironmentVariable("CDC__Entities") ?? SourceTree.PathOf("schemas/entities.json"));

    private static SourceKey HistoryKey { get; } = Entities.Find("history")!.SourceKey;

    /// <summary>Odoo's own key is one column.</summary>
    public static IReadOnlyList<string> HistoryKeySql { get; } =
        HistoryKey.IsPair
            ? [$"ALTER TABLE {OdooSource.HistoryTable} DROP CONSTRAINT loyalty_point_history_pkey, ADD PRIMARY KEY ({HistoryKey.Shown})"]
            : [];

    private WatchedProcess? _process;
    private long _recentPeak;

    public string Name => "cdc";
    public string Slot => "cdc_loyalty";
    public BenchDatabase Target { get; } = servers.EngineDatabase(DatabaseName);
    public string CardTable => "public.loyalty_cards";
    public string HistoryTable => "public.point_history";

    public long KeyOf(int history) =>
        HistoryKey.IsHashed ? KeyHash.Number(Encoding.UTF8.GetBytes(history.ToString(CultureInfo.InvariantCulture)))
        : HistoryKey.IsPair ? KeyPair.Number(history, source.CardOf(history))!.Value
        : history;

    /// <summary>Over Kafka each partition comes along by itself.</summary>
    public string? HasReachedSql(string lsn) =>
        servers.Kafka is null ? null : $"SELECT coalesce(min(through_lsn) >= '{lsn}', false) FROM cdc.checkpoints";

    public TimeSpan ProgramCpu => _process is { } process ? ProcessCpu.Of(process.Pid) : TimeSpan.Zero;

    /// <summary>In use now, in bytes.</summary>
    public long Memory => _process is { } process ? ProcessCpu.Memory(process.Pid) : 0;

    /// <summary>The most memory that any life of the process had so far, in bytes.</summary>
    public long PeakMemory { get; private set; }

    /// <summary>Of the life that was stopped last.</summary>
    public long LastPeakMemory { get; private set; }

    /// <summary>Of the lives that were stopped since this was last asked for.</summary>
    public long TakePeakMemory()
    {
        var peak = _recentPeak;
        _recentPeak = 0;
        return peak;
    }

    /// <summary>A migrated database to copy: migrations are not what is measured.</summary>
    public async Task PrepareAsync(CancellationToken ct)
    {
        await servers.EngineAdmin.ExecuteAsync(ct, $"CREATE DATABASE {Migrated} TEMPLATE template0");
        var (code, output) = await CdcProcess.RunAsync(["migrate"], Settings(servers.EngineDatabase(Migrated)), ct);
        if (code != 0)
            throw Ended("migrate", code, output);
        // The delivered table says of Odoo's rows that their key is Odoo's id.
        if (!Entities.Find("history")!.HasId)
            await servers
                .EngineDatabase(Migrated)
                .ExecuteAsync(
                    ct,
                    $"ALTER TABLE {HistoryTable} DROP CONSTRAINT point_history_odoo_id",
                    "DROP INDEX point_history_odoo_history_id"
                );
        if (servers.Kafka is { } log)
            await MadeTopics.MakeAsync(log, LogTopics.DataTopics(Entities, LogTopics.TopicOf(Entities, log)), ct);
    }

    public async Task<LoadTimes> LoadAsync(CancellationToken ct)
    {
        await servers.EngineAdmin.ExecuteAsync(
            ct,
            $"DROP DATABASE IF EXISTS {DatabaseName} WITH (FORCE)",
            $"CREATE DATABASE {DatabaseName} TEMPLATE {Migrated}",
            "CHECKPOINT"
        );
        await source.DropSlotAsync(Slot, ct);
        await using var streaming = await Probe.OpenAsync(Target, StreamingSql, ct);
        await using var loaded = await Probe.OpenAsync(Target, LoadedSql, ct);
        var asked = Stopwatch.GetTimestamp();
        await StartAsync(ct);
        var began = await streaming.UntilAsync<bool>(yes => yes, ThrowIfEnded, ct);
        var ended = await loaded.UntilAsync<bool>(yes => yes, ThrowIfEnded, ct);
        return new LoadTimes(Stopwatch.GetElapsedTime(asked, began), Stopwatch.GetElapsedTime(began, ended));
    }

    public async Task StartAsync(CancellationToken ct) => _process = await CdcProcess.StartAsync(["run"], Settings(Target), null, ct);

    /// <summary>One end of the Kafka log by itself, from one moment to another.</summary>
    public async Task RunAloneAsync(
        string end,
        long rows,
        Func<Action, Task<long>> begun,
        Func<Action, Task<long>> ended,
        Figures figures,
        CancellationToken ct
    )
    {
        _process = await CdcProcess.StartAsync([end], Settings(Target), null, ct);
        var began = await begun(ThrowIfEnded);
        var cpu = ProgramCpu;
        var taken = Stopwatch.GetElapsedTime(began, await ended(ThrowIfEnded));
        var micros = (ProgramCpu - cpu).TotalMicroseconds / rows;
        await StopAsync(ct);
        figures.Add($"stage.{end}.rows_per_s", rows / taken.TotalSeconds, "rows/s");
        figures.Add($"stage.{end}.us_per_row", micros, "µs");
    }

    public async Task StopAsync(CancellationToken ct)
    {
        if (_process is not { } process)
            return;
        LastPeakMemory = ProcessCpu.PeakMemory(process.Pid);
        PeakMemory = Math.Max(PeakMemory, LastPeakMemory);
        _recentPeak = Math.Max(_recentPeak, LastPeakMemory);
        var code = await process.StopAsync(Signal.Terminate, ct);
        if (code != 0)
            throw Ended("run", code, process.Tail);
        await process.DisposeAsync();
        _process = null;
        await source.UntilSlotAsync(Slot, active: false, () => { }, ct);
    }

    public void ThrowIfEnded()
    {
        if (_process is { HasExited: true } process)
            throw Ended("run", process.ExitCode, process.Tail);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
            await process.DisposeAsync();
    }

    /// <summary>Settings of another cdc process over the same two databases.</summary>
    public IReadOnlyDictionary<string, string?> Environment(Dictionary<string, string?> settings) => With(Settings(Target), settings);

    private Dictionary<string, string?> Settings(BenchDatabase engine) =>
        With(
            new(servers.Kafka?.Environment() ?? [])
            {
                ["CDC__Source__ConnectionString"] = source.Database.ConnectionString,
                ["CDC__Engine__ConnectionString"] = engine.ConnectionString,
                // This measures replication; comparing has its own figures.
                ["CDC__Continuous__Enabled"] = "false",
                // Any free port.
                ["CDC__Api__Urls"] = "http://127.0.0.1:0",
            },
            more
        );

    private static Dictionary<string, string?> With(Dictionary<string, string?> settings, IReadOnlyDictionary<string, string?>? more)
    {
        foreach (var (name, value) in more ?? new Dictionary<string, string?>())
            settings[name] = value;
        return settings;
    }

    private static CdcException Ended(string command, int code, string output) =>
        new(
            code != 0 && Enum.IsDefined((FailureKind)code) ? (FailureKind)code : FailureKind.Unexpected,
            string.Create(CultureInfo.InvariantCulture, $"'cdc {command}' ended with exit code {code} while it was measured."),
            $"It said last:{System.Environment.NewLine}{output}"
        );
}
