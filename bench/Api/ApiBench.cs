using System.Globalization;
using Cdc.Bench.Measure;
using Cdc.Core.Failures;
using Cdc.Testing.Postgres;
using Cdc.Testing.Processes;
using Npgsql;

namespace Cdc.Bench.Api;

/// <summary>
/// Balances at a fixed rate while the pipeline applies orders at another, and then as many as can be, beside a bare Api with the same
/// query.
/// </summary>
internal sealed class ApiBench : IAsyncDisposable
{
    private const int Requests = 2_000,
        Orders = 1_000;

    /// <summary>Latency and memory are reported for each of these.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly MeasureSizes _sizes;
    private readonly Progress _progress;
    private readonly Figures _figures;
    private readonly OdooSource _source;
    private readonly CdcReplica _cdc;
    private readonly Uri _address = FreeAddress();

    private ApiBench(BenchServers servers, MeasureSizes sizes, Progress progress, Figures figures)
    {
        (Servers, _sizes, _progress, _figures) = (servers, sizes, progress, figures);
        _source = new OdooSource(servers.Odoo, sizes);
        _cdc = new CdcReplica(servers, _source, new Dictionary<string, string?> { ["CDC__Api__Urls"] = Text(_address) });
    }

    public BenchServers Servers { get; }

    public static async Task<ApiBench> StartAsync(MeasureSizes sizes, Progress progress, Figures figures, CancellationToken ct)
    {
        progress.Say($"starting two PostgreSQL servers");
        var bench = new ApiBench(await BenchServers.StartAsync(withKafka: false, ct), sizes, progress, figures);
        try
        {
            progress.Say($"filling Odoo: {sizes.Cards:#,0} cards, {sizes.History:#,0} history rows");
            await bench._source.SeedAsync(ct);
            await bench._cdc.PrepareAsync(ct);
            await bench._cdc.LoadAsync(ct);
            await bench._cdc.Target.ExecuteAsync(ct, $"VACUUM (ANALYZE) {bench._cdc.CardTable}, {bench._cdc.HistoryTable}", "CHECKPOINT");
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
        var codes = await CodesAsync(ct);
        await AtRateAsync(codes, ct);
        await MaximumAsync(codes, ct);
        await _cdc.StopAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _cdc.DisposeAsync();
        await Servers.DisposeAsync();
    }

    private async Task AtRateAsync(IReadOnlyList<string> codes, CancellationToken ct)
    {
        var (warm, duration) = (_sizes.ApiWarmUp, _sizes.ApiDuration);
        var orders = (int)(Orders * (warm + duration + TimeSpan.FromSeconds(2)).TotalSeconds);
        var clock = new OrderClock(_source.TakeHistory(orders), orders);
        var ordering = new OrderStream(_source, clock, Orders).RunAsync(ct);
        var load = new RequestLoad(_address, codes);
        await load.AtRateAsync(Requests, warm, ct);
        _progress.Say($"{Requests} requests/s for {duration.TotalSeconds:0} s beside {Orders} orders/s");
        using var memory = new MemoryWatch(_cdc, Window);
        var (latencies, errors) = await load.AtRateAsync(Requests, duration, ct);
        var used = await memory.EndAsync();
        await ordering;
        _cdc.ThrowIfEnded();
        if (errors > 0)
            throw new CdcException(
                FailureKind.NotEqual,
                $"{errors} of {latencies.Length} balances were not answered with 200.",
                "This is a defect: report it."
            );
        ReportWindows(latencies, used);
        Array.Sort(latencies);
        foreach (var (name, share) in ((string, double)[])[("p50", 0.5), ("p99", 0.99), ("p999", 0.999)])
            _figures.Add($"api.{name}_ms", At(latencies, share), "ms");
        _figures.Add("api.max_ms", latencies[^1], "ms");
        _figures.Add("api.orders_per_s", clock.Rate((int)(Orders * warm.TotalSeconds)), "tx/s");
        _figures.Add("api.rss.begin_mib", used[0], "MiB");
        _figures.Add("api.rss.middle_mib", used[used.Count / 2], "MiB");
        _figures.Add("api.rss.end_mib", used[^1], "MiB");
    }

    /// <summary>Reports each window, so that a slow moment or growing memory shows when it happened.</summary>
    private void ReportWindows(double[] latencies, IReadOnlyList<double> memory)
    {
        var window = (int)(Requests * Window.TotalSeconds);
        for (var i = 0; (i + 1) * window <= latencies.Length; i++)
        {
            var part = latencies[(i * window)..((i + 1) * window)];
            Array.Sort(part);
            var until = (i + 1) * Window.TotalSeconds;
            var used = memory[Math.Min(i + 1, memory.Count - 1)];
            _progress.Say($"after {until:0} s: p50 {At(part, 0.5):0.0}, p99 {At(part, 0.99):0.0}, at most {part[^1]:0} ms; {used:0} MiB");
        }
    }

    private static double At(double[] sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Length) - 1];

    /// <summary>Without orders. Each answer comes from the engine: answers from memory have their own figure.</summary>
    private async Task MaximumAsync(IReadOnlyList<string> codes, CancellationToken ct)
    {
        var (cdc, bare) = (FreeAddress(), FreeAddress());
        await using var api = await CdcProcess.StartAsync(
            ["api"],
            _cdc.Environment(new() { ["CDC__Api__Urls"] = Text(cdc), ["CDC__Api__CacheBytes"] = "0" }),
            null,
            ct
        );
        await using var other = await BareApi.StartAsync(_cdc.Target.ConnectionString, bare.Port, ct);
        await AnswersAsync(cdc, api, codes, ct);
        await AnswersAsync(bare, other, codes, ct);
        (string Name, Uri Address)[] both = [("cdc", cdc), ("bare", bare)];
        var rates = both.ToDictionary(b => b.Name, _ => new List<double>());
        // Once uncounted, and longer: compilers and caches.
        for (var round = 0; round <= _sizes.Rounds; round++)
            foreach (var (name, address) in round % 2 == 0 ? both : both.Reverse())
            {
                var rate = await new RequestLoad(address, codes).AtFullSpeedAsync(round > 0 ? _sizes.ApiMaximum : _sizes.ApiWarmUp, ct);
                _progress.Say($"maximum {round}/{_sizes.Rounds}: {name} {rate:#,0} requests/s");
                if (round > 0)
                    rates[name].Add(rate);
            }
        foreach (var (name, all) in rates)
            _figures.AddMedian($"api.max_rate.{name}", all, "requests/s");
        _figures.AddMedian("api.max_rate.ratio", rates["cdc"].Zip(rates["bare"], (c, b) => c / b), "x");
        var few = codes.Take(10_000).ToList();
        await new RequestLoad(_address, few).AtFullSpeedAsync(_sizes.ApiMaximum, ct);
        _figures.Add(
            "api.max_rate.from_memory",
            await new RequestLoad(_address, few).AtFullSpeedAsync(_sizes.ApiMaximum, ct),
            "requests/s"
        );
        if (!Wrk.IsThere)
            return;
        foreach (var (name, address) in both)
            _figures.Add($"api.max_rate.wrk.{name}", await new Wrk(codes).RunAsync(address, _sizes.ApiMaximum, ct), "requests/s");
    }

    private async Task<IReadOnlyList<string>> CodesAsync(CancellationToken ct)
    {
        await using var connection = await _cdc.Target.OpenAsync(ct);
        await using var command = new NpgsqlCommand($"SELECT code FROM {_cdc.CardTable} ORDER BY random()", connection);
        await using var row = await command.ExecuteReaderAsync(ct);
        var codes = new List<string>();
        while (await row.ReadAsync(ct))
            codes.Add(Uri.EscapeDataString(row.GetString(0)));
        return codes;
    }

    private static async Task AnswersAsync(Uri address, WatchedProcess process, IReadOnlyList<string> codes, CancellationToken ct)
    {
        using var client = new HttpClient { BaseAddress = address };
        while (true)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"It ended before it answered: {process.Tail}");
            try
            {
                using var answer = await client.GetAsync(new Uri($"/cards/{codes[0]}/balance", UriKind.Relative), ct);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
            await Task.Delay(100, ct);
        }
    }

    private static Uri FreeAddress() => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}"));

    private static string Text(Uri address) => address.GetLeftPart(UriPartial.Authority);
}
