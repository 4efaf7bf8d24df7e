using System.Diagnostics;
using Cdc.Bench.Measure;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.Migrations;
using Cdc.Expressions.Declaration;
using Cdc.Reconcile;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Continuous;
using Cdc.Reconcile.Fences;
using Cdc.Testing;
using Cdc.Tests.Support.Reconcile;
using Npgsql;

namespace Cdc.Bench.Reconcile;

/// <summary>What one comparison took.</summary>
internal sealed record ComparisonTimes(TimeSpan Wall, TimeSpan SourceCpu, TimeSpan EngineCpu, TimeSpan ClientCpu)
{
    public double Cpu => (SourceCpu + EngineCpu + ClientCpu).TotalSeconds;
}

/// <summary>
/// Compares the history table, equal, with one row of drift and with a thousand, on servers that do nothing else. Both sides are quiet, so
/// that the fence (milliseconds a slice) is not in it.
/// </summary>
internal sealed class ReconcileBench : IAsyncDisposable
{
    /// <summary>A thousand of five million.</summary>
    private const int RowsForOneOfMany = 5000;
    private static readonly TimeSpan PgBenchTime = TimeSpan.FromSeconds(15);

    private readonly MeasureSizes _sizes;
    private readonly Progress _progress;
    private readonly Figures _figures;
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _engine;
    private readonly EntitySet _entities;
    private readonly EntityDeclaration _history;

    private ReconcileBench(BenchServers servers, MeasureSizes sizes, Progress progress, Figures figures)
    {
        (Servers, _sizes, _progress, _figures) = (servers, sizes, progress, figures);
        (_source, _engine) = (
            NpgsqlDataSource.Create(servers.Odoo.ConnectionString),
            NpgsqlDataSource.Create(servers.EngineDatabase("engine").ConnectionString)
        );
        _entities = EntityFile.Load(SourceTree.PathOf("schemas/entities.json"));
        _history = _entities.Find("history")!;
    }

    public BenchServers Servers { get; }

    private int Rows => _sizes.ReconcileHistory;

    private static TimeSpan ClientCpu => Process.GetCurrentProcess().TotalProcessorTime;

    public static async Task<ReconcileBench> StartAsync(MeasureSizes sizes, Progress progress, Figures figures, CancellationToken ct)
    {
        progress.Say($"starting two PostgreSQL servers");
        var bench = new ReconcileBench(await BenchServers.StartAsync(withKafka: false, ct), sizes, progress, figures);
        try
        {
            await bench.FillAsync(ct);
            return bench;
        }
        catch
        {
            await bench.DisposeAsync();
            throw;
        }
    }

    public async Task MeasureAsync(CancellationToken ct)
    {
        var (equal, one, thousand) = (new List<ComparisonTimes>(), new List<ComparisonTimes>(), new List<ComparisonTimes>());
        using var bytes = new ReceivedBytes();
        var moved = new List<double>();
        await CompareAsync("warming up", 0, ct);
        for (var round = 1; round <= _sizes.Rounds; round++)
        {
            bytes.Take();
            equal.Add(await CompareAsync($"equal {round}/{_sizes.Rounds}", 0, ct));
            moved.Add(bytes.Take() / (double)(1 << 20));
            one.Add(await PlantedAsync($"one row {round}/{_sizes.Rounds}", $"id = {Rows / 2}", 1, ct));
            thousand.Add(
                await PlantedAsync(
                    $"{Rows / RowsForOneOfMany} rows {round}/{_sizes.Rounds}",
                    $"id % {RowsForOneOfMany} = 7",
                    Rows / RowsForOneOfMany,
                    ct
                )
            );
        }
        Report(equal, one, thousand);
        _figures.AddMedian("reconcile.received_mib", moved, "MiB");
        await BaselineAsync(equal, bytes, ct);
        await SlowdownAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _engine.DisposeAsync();
        await Servers.DisposeAsync();
    }

    private async Task FillAsync(CancellationToken ct)
    {
        _progress.Say($"filling both sides: {Rows:#,0} history rows");
        await new OdooSource(Servers.Odoo, _sizes with { History = Rows }).SeedAsync(ct);
        await Servers.EngineAdmin.ExecuteAsync(ct, "CREATE DATABASE engine");
        await new Migrator(_engine, Migration.ReadAll(SourceTree.PathOf("schemas/engine"))).UpAsync(null, ct);
        await Servers
            .EngineDatabase("engine")
            .ExecuteAsync(
                ct,
                $"ALTER TABLE {_history.EngineName} DISABLE TRIGGER ALL",
                "INSERT INTO cdc.tables (entity, state) VALUES ('history', 'streaming')"
            );
        await EngineFill.CopyAsync(_history, _source, _engine, ct);
        await RestAsync(ct);
    }

    private Task RestAsync(CancellationToken ct) =>
        Servers.EngineDatabase("engine").ExecuteAsync(ct, $"VACUUM (ANALYZE) {_history.EngineName}", "CHECKPOINT");

    private async Task<ComparisonTimes> PlantedAsync(string what, string rows, int count, CancellationToken ct)
    {
        await ShiftAsync("+", rows, ct);
        var times = await CompareAsync(what, count, ct);
        await ShiftAsync("-", rows, ct);
        await RestAsync(ct);
        return times;
    }

    private Task ShiftAsync(string sign, string rows, CancellationToken ct) =>
        Servers
            .EngineDatabase("engine")
            .ExecuteAsync(ct, $"UPDATE {_history.EngineName} SET points_balance = points_balance {sign} 0.01 WHERE {rows}");

    private Task<ComparisonTimes> CompareAsync(string what, long drift, CancellationToken ct) =>
        CompareAsync(what, drift, new QuietFence(_source, _engine), new ReconcileOptions(), ct);

    private async Task<ComparisonTimes> CompareAsync(string what, long drift, IFence fence, ReconcileOptions options, CancellationToken ct)
    {
        var comparison = new EntityComparison(_history, new ComparedServers(_source, _engine, fence, _entities), options);
        var (source, engine, client, began, numbers) = (
            Servers.SourceCpu,
            Servers.EngineCpu,
            ClientCpu,
            Stopwatch.GetTimestamp(),
            new SliceNumbers()
        );
        await foreach (var slice in comparison.CompareAsync(KeySpan.All, () => int.MaxValue, ct))
            numbers += slice.Result.Numbers;
        var times = new ComparisonTimes(
            Stopwatch.GetElapsedTime(began),
            Servers.SourceCpu - source,
            Servers.EngineCpu - engine,
            ClientCpu - client
        );
        var (wall, inClient) = (times.Wall.TotalSeconds, times.ClientCpu.TotalSeconds);
        var (onSource, onEngine) = (times.SourceCpu.TotalSeconds, times.EngineCpu.TotalSeconds);
        _progress.Say($"{what}: {wall:0.00} s, CPU source {onSource:0.00} s, engine {onEngine:0.00} s, client {inClient:0.00} s");
        if (numbers.Compared != Rows || numbers.Drift != drift)
            throw new CdcException(
                FailureKind.NotEqual,
                $"{numbers.Compared} rows compared and {numbers.Drift} different, instead of {Rows} and {drift}.",
                "This is a defect: report it."
            );
        return times;
    }

    private void Report(List<ComparisonTimes> equal, List<ComparisonTimes> one, List<ComparisonTimes> thousand)
    {
        double[] source = [.. equal.Select(t => Rows / t.SourceCpu.TotalSeconds)],
            engine = [.. equal.Select(t => Rows / t.EngineCpu.TotalSeconds)];
        _figures.Add("reconcile.rows_per_core_s", Math.Min(Figures.Median(source), Figures.Median(engine)), "rows/s");
        _figures.AddMedian("reconcile.rows_per_core_s.source", source, "rows/s");
        _figures.AddMedian("reconcile.rows_per_core_s.engine", engine, "rows/s");
        _figures.AddMedian("reconcile.rows_per_s", equal.Select(t => Rows / t.Wall.TotalSeconds), "rows/s");
        _figures.AddMedian("reconcile.one_drift.ratio", Ratios(one, equal, t => t.Wall.TotalSeconds), "x");
        _figures.AddMedian("reconcile.one_drift.cpu_ratio", Ratios(one, equal, t => t.Cpu), "x");
        _figures.AddMedian("reconcile.thousand_drift.ratio", Ratios(thousand, equal, t => t.Wall.TotalSeconds), "x");
        _figures.AddMedian("reconcile.thousand_drift.cpu_ratio", Ratios(thousand, equal, t => t.Cpu), "x");
    }

    /// <summary>The same rows, moved and compared in the order of their keys.</summary>
    private async Task BaselineAsync(List<ComparisonTimes> equal, ReceivedBytes bytes, CancellationToken ct)
    {
        bytes.Take();
        var (source, engine) = (Servers.SourceCpu, Servers.EngineCpu);
        var times = await new StreamBaseline(_history, _source, _engine).CompareAsync(ct);
        _progress.Say($"streamed: {times.Wall.TotalSeconds:0.00} s");
        var cpu = (Servers.SourceCpu - source + Servers.EngineCpu - engine + times.ClientCpu).TotalSeconds;
        _figures.Add("reconcile.stream.rows_per_s", Rows / times.Wall.TotalSeconds, "rows/s");
        _figures.Add("reconcile.stream.received_mib", times.Bytes / (double)(1 << 20), "MiB");
        _figures.AddMedian("reconcile.stream.ratio", equal.Select(t => times.Wall / t.Wall), "x");
        _figures.AddMedian("reconcile.stream.cpu_ratio", equal.Select(t => cpu / t.Cpu), "x");
    }

    /// <summary>
    /// What Odoo's server has left for others while it is compared without a pause, and as <c>cdc run</c> compares by itself.
    /// </summary>
    private async Task SlowdownAsync(CancellationToken ct)
    {
        var pgbench = new PgBench(Servers);
        await pgbench.PrepareAsync(ct);
        var continuous = new ContinuousOptions();
        var paced = new PacedFence(new QuietFence(_source, _engine), new Pace(continuous.LoadPercent, TimeProvider.System));
        var options = new ReconcileOptions();
        List<double> alone = [],
            beside = [],
            besideContinuous = [];
        for (var round = 1; round <= _sizes.Rounds; round++)
        {
            alone.Add(await pgbench.RunAsync(PgBenchTime, ct));
            beside.Add(await BesideAsync(pgbench, new QuietFence(_source, _engine), options, ct));
            besideContinuous.Add(await BesideAsync(pgbench, paced, options with { SliceTime = continuous.SliceTime }, ct));
            var (first, second, third) = (alone[^1], beside[^1], besideContinuous[^1]);
            _progress.Say(
                $"pgbench {round}/{_sizes.Rounds}: {first:#,0} transactions/s alone, {second:#,0} and {third:#,0} beside comparisons"
            );
        }
        _figures.AddMedian("reconcile.pgbench.tps_alone", alone, "tx/s");
        _figures.AddMedian("reconcile.pgbench.tps_beside", beside, "tx/s");
        _figures.AddMedian("reconcile.pgbench.slowdown", Slowdowns(alone, beside), "%");
        _figures.AddMedian("reconcile.pgbench.slowdown.continuous", Slowdowns(alone, besideContinuous), "%");
    }

    private static IEnumerable<double> Slowdowns(List<double> alone, List<double> beside) => alone.Zip(beside, (a, b) => 100 * (1 - b / a));

    private async Task<double> BesideAsync(PgBench pgbench, IFence fence, ReconcileOptions options, CancellationToken ct)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var comparing = CompareUntilAsync(fence, options, enough.Token);
        var rate = await pgbench.RunAsync(PgBenchTime, ct);
        await enough.CancelAsync();
        await comparing;
        return rate;
    }

    private async Task CompareUntilAsync(IFence fence, ReconcileOptions options, CancellationToken enough)
    {
        try
        {
            while (!enough.IsCancellationRequested)
                await CompareAsync("beside pgbench", 0, fence, options, enough);
        }
        // Npgsql reports a cancelled statement as PostgreSQL does.
        catch (Exception e)
            when (enough.IsCancellationRequested
                && e is OperationCanceledException or PostgresException { SqlState: PostgresErrorCodes.QueryCanceled }
            ) { }
    }

    private static IEnumerable<double> Ratios(
        List<ComparisonTimes> times,
        List<ComparisonTimes> equal,
        Func<ComparisonTimes, double> value
    ) => times.Zip(equal, (t, e) => value(t) / value(e));
}
