using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Cdc.Api;
using Cdc.Api.Balances;
using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Api.Metrics;
using Cdc.Api.Operations;
using Cdc.Api.Page;
using Cdc.Api.Replicas;
using Cdc.Api.Routes;
using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Core.Telemetry;
using Cdc.Expressions.Declaration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cdc.Tests.Unit.Api;

/// <summary>docs/metrics.md says what there is, no more and no less: it is compared with the instruments themselves.</summary>
public sealed partial class MetricsDocumentationTests
{
    private static readonly string[] Sections = File.ReadAllText(SourceTree.PathOf("docs/metrics.md")).Split("\n## ")[1..];

    private static readonly EntitySet Entities = EntityFile.Load(SourceTree.PathOf("schemas/entities.json"));

    /// <summary>A channel, roles, slots and tables of migrations.</summary>
    private static readonly string[] NoMetrics =
    [
        "cdc_card",
        "cdc_contacts_migrations",
        "cdc_engine",
        "cdc_loyalty",
        "cdc_migrations",
        "cdc_own_changes",
        "cdc_own_migrations",
        "cdc_owner",
        "cdc_reconcile_engine",
        "cdc_reconcile_source",
        "cdc_source",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Metrics_of_the_Api_are_those_of_the_document() => Assert.Equal(Named(Instruments(null)), Named(Documented("cdc api")));

    [Fact]
    public void Metrics_of_a_pipeline_are_those_of_the_document() =>
        Assert.Equal(Named(Instruments(new PipelineStatistics()).Except(Instruments(null))), Named(Documented("cdc run` alone")));

    [Fact]
    public async Task Labels_are_those_of_the_document()
    {
        var statistics = new PipelineStatistics();
        var documented = Documented("cdc api").Concat(Documented("cdc run` alone")).ToDictionary(d => d.Name, d => d.Labels);
        var seen = (await SeriesAsync(statistics)).ToList();
        Assert.True(seen.Count > 25, $"Only {seen.Count} metrics have series.");
        Assert.All(seen, s => Assert.Equal(documented[s.Name], s.Labels));
    }

    [Fact]
    public void Metrics_and_checks_of_health_are_those_of_the_document()
    {
        var health = HealthView.Of(Report, TimeSpan.FromMinutes(1), new ComparisonRows(1, 0, 0, 0, 0, 0, []));
        var text = HealthText.Write(health);
        Assert.Equal(
            Type().Matches(text).Select(t => (t.Groups[1].Value, t.Groups[2].Value)).Order(),
            Documented("Of health").Select(d => (d.Name, d.Type)).Order()
        );
        foreach (var (name, _, labels) in Documented("Of health"))
            Assert.Contains($"\n{name}{{{Assert.Single(labels)}=\"", text, StringComparison.Ordinal);
        var checks = Section("Of health").Split("\nChecks: ")[1];
        Assert.Equal(health.Checks.Select(c => c.Name), Word().Matches(checks).Select(w => w.Groups[1].Value).Where(w => w != "cdc run"));
    }

    [Fact]
    public void Rules_dashboards_and_other_documents_name_metrics_that_there_are()
    {
        var documented = Sections.SelectMany(s => Row().Matches(s)).Select(m => m.Groups[1].Value).ToHashSet();
        var files = SourceTree
            .Files("ops", "*.*")
            .Concat(SourceTree.Files("docs", "*.md"))
            .Where(f => Path.GetExtension(f) is ".md" or ".yml" or ".json");
        var named = files.SelectMany(f => Prefixed().Matches(File.ReadAllText(f)).Select(m => Part().Replace(m.Value, ""))).ToHashSet();
        Assert.True(named.Count > documented.Count / 2, $"Only {named.Count} are named.");
        Assert.Empty(named.Except(documented).Except(NoMetrics));
    }

    private static string Section(string heading) => Sections.Single(s => s.Split('\n')[0].Contains(heading, StringComparison.Ordinal));

    private static List<Metric> Documented(string heading) =>
        [
            .. Row()
                .Matches(Section(heading))
                .Select(m => new Metric(
                    m.Groups[1].Value,
                    m.Groups[2].Value,
                    [.. Word().Matches(m.Groups[3].Value).Select(w => w.Groups[1].Value)]
                )),
        ];

    private static IEnumerable<string> Named(IEnumerable<Metric> metrics) => metrics.Select(m => $"{m.Name} {m.Type}").Order();

    private static IEnumerable<string> Named(IEnumerable<string> metrics) => metrics.Order();

    /// <summary>Name and type.</summary>
    private static HashSet<string> Instruments(PipelineStatistics? statistics)
    {
        HashSet<string> found = [];
        using var listener = new MeterListener();
        using var all = new AllInstruments(statistics);
        listener.InstrumentPublished = (instrument, _) =>
        {
            if (all.Meter.Owns(instrument))
                found.Add($"{PrometheusText.NameOf(instrument)} {PrometheusText.TypeOf(instrument)}");
        };
        listener.Start();
        return found;
    }

    private static async Task<IEnumerable<(string Name, IEnumerable<string> Labels)>> SeriesAsync(PipelineStatistics statistics)
    {
        using var all = new AllInstruments(statistics);
        using var collector = new MetricCollector(all.Meter);
        await all.Status.ReadAsync(Ct);
        statistics.Applied(new AppliedBatch(1, 1, TimeSpan.FromSeconds(1), DateTimeOffset.UnixEpoch));
        all.Request();
        all.Read();
        return collector
            .Collect()
            .Select(i => (PrometheusText.NameOf(i.Instrument), Label().Matches(i.Series[0].Labels).Select(l => l.Groups[1].Value)))
            .ToList();
    }

    /// <summary>Of a process to which everything is known.</summary>
    private static StatusReport Report { get; } =
        new()
        {
            At = DateTimeOffset.UnixEpoch,
            State = "streaming",
            Running = true,
            BytesBehind = 1,
            SecondsBehind = 1,
            EngineServer = new("engine", Readable: true, null, null),
            SourceServer = new("source", Readable: true, null, null),
            LogServer = new("kafka", Readable: true, null, null),
            Pipeline = new("working", null, null, null, null),
            Engine = new EngineStatus
            {
                State = "streaming",
                Generation = 1,
                Session = 1,
                SystemIdentifier = "1",
                GapKind = null,
                GapDetail = null,
                WrittenLsn = "0/1",
                ThroughLsn = "0/1",
                LastCommitAt = null,
                AsOf = null,
                CheckpointAgeSeconds = 1,
                Entities =
                [
                    new EntityStatus
                    {
                        Entity = "card",
                        State = "streaming",
                        Reason = null,
                        Rows = 1,
                        Snapshot = null,
                        Quarantine = 0,
                        OldestQuarantine = null,
                        Holes = 0,
                        OldestHole = null,
                        WaitingForParent = 0,
                    },
                ],
            },
            Source = new SourceStatus
            {
                SystemIdentifier = "1",
                Timeline = 1,
                Database = "odoo",
                InsertLsn = "0/1",
                FlushLsn = "0/1",
                Now = DateTimeOffset.UnixEpoch,
                OldestTransactionSeconds = 1,
                Slot = new SlotStatus("slot", "pgoutput", "odoo", Active: true, 1, "reserved", 1, 1, "0/1", "0/1"),
            },
        };

    [GeneratedRegex(@"^\| `(cdc_\w+)` \| (\w+) \| ([^|]*)\|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\bcdc_[a-z_]+")]
    private static partial Regex Prefixed();

    /// <summary>Of a histogram.</summary>
    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Part();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Word();

    [GeneratedRegex(@"(\w+)=""[^""]*""")]
    private static partial Regex Label();

    [GeneratedRegex(@"# TYPE (\w+) (\w+)")]
    private static partial Regex Type();

    private sealed record Metric(string Name, string Type, IReadOnlyList<string> Labels);

    /// <summary>As the Api makes them; nothing is asked of a server.</summary>
    private sealed class AllInstruments : IDisposable
    {
        private const string Server = "Host=127.0.0.1;Port=1;Database=d;Username=u;Password=p";

        private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        private readonly EngineReads _engine;
        private readonly ReconcileStanding _standing;
        private readonly PipelineMetrics _pipeline;
        private readonly RequestDurations _requests;
        private readonly RoutedReads _reads;
        private readonly WayBackStanding _wayBack;
        private readonly Counter<long> _compared;

        public AllInstruments(PipelineStatistics? statistics)
        {
            var (options, time, log) = (new ApiOptions { ReplicaConnectionString = Server }, TimeProvider.System, NullLogger.Instance);
            var parts = new ApiParts
            {
                EngineConnectionString = Server,
                Entities = Entities,
                Status = new Reported(),
                SourceClock = null!,
                Odoo = null!,
                Quarantine = null!,
                RunReports = null!,
                Schemas = null!,
                Loggers = NullLoggerFactory.Instance,
                Version = "1",
                Statistics = statistics,
            };
            var clock = new FreshnessClock(time);
            Status = new StatusCache(parts.Status, statistics, time);
            _engine = new EngineReads(Server, options);
            _standing = new ReconcileStanding(_engine, parts, options, time);
            var replicas = new ReplicaReads(options, new AnswerFloors(), clock, time, log);
            Meter = new ApiMeter(parts, Status, new CardCache(1), replicas, new LiveBoard(), _standing);
            _pipeline = new PipelineMetrics(Meter, parts, clock);
            _requests = new RequestDurations(Meter, Factory);
            _reads = new RoutedReads(Meter);
            _ = new CutoverWatch(_engine, time, log, Meter);
            _wayBack = new WayBackStanding(_engine, options, time, Meter);
            _compared = ShadowReads.Instrument(Meter);
        }

        public ApiMeter Meter { get; }

        public StatusCache Status { get; }

        private IMeterFactory Factory => _services.GetRequiredService<IMeterFactory>();

        public void Read()
        {
            _reads.Add("odoo", null);
            _compared.Add(1, new("scope", "all"), new("result", "equal"));
        }

        /// <summary>What ASP.NET measures of one.</summary>
        public void Request() =>
            Factory
                .Create("Microsoft.AspNetCore.Hosting")
                .CreateHistogram<double>("http.server.request.duration")
                .Record(1, new("http.route", "/"), new("http.request.method", "GET"), new("http.response.status_code", 200));

        public void Dispose()
        {
            _requests.Dispose();
            _pipeline.Dispose();
            Meter.Dispose();
            _wayBack.Dispose();
            _standing.Dispose();
            Status.Dispose();
            _services.Dispose();
        }
    }

    private sealed class Reported : IStatusSource
    {
        public Task<StatusReport> ReadAsync(CancellationToken ct) => Task.FromResult(Report);
    }
}
