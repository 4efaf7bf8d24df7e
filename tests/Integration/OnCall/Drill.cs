using System.Diagnostics;
using Cdc.Core.Failures;
using Cdc.Tests.Integration.Faults;
using Cdc.Tests.Support.Monitoring;
using Xunit;

namespace Cdc.Tests.Integration.OnCall;

/// <summary>A running system with keys, a Prometheus that watches it by the delivered configuration, and a person with the runbooks.</summary>
internal sealed class Drill : IAsyncDisposable
{
    private const int MostAttempts = 10;

    private readonly DrilledRules _rules;
    private readonly RunbookShell _shell = new();
    private readonly DirectoryInfo _folder;
    private readonly PrometheusServer _prometheus;
    private readonly HashSet<string> _fired = [];
    private readonly HashSet<string> _followed = [];
    private readonly List<Task> _clearing = [];
    private readonly List<string> _took = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    private Drill(Scene scene, Served served, DrilledRules rules, DirectoryInfo folder, PrometheusServer prometheus)
    {
        (Scene, Served, _rules, _folder, _prometheus) = (scene, served, rules, folder, prometheus);
    }

    public Scene Scene { get; }

    public Served Served { get; private set; }

    /// <summary>That of the person: $CDC_KEY.</summary>
    public required string OperatorKey { get; init; }

    /// <summary>What each step took, for people.</summary>
    public string Took => string.Join(", ", _took);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string KeyFileIn(DirectoryInfo folder) => Path.Combine(folder.FullName, "cdc.key");

    public static async Task<Drill> StartAsync(Scene scene, Served served, string prometheusKey, string operatorKey)
    {
        var folder = Directory.CreateTempSubdirectory("cdc-drill-");
        await File.WriteAllTextAsync(KeyFileIn(folder), prometheusKey, Ct);
        var rules = await DrilledRules.ReadAsync(Ct);
        var prometheus = await PrometheusServer.StartAsync(await ConfigurationAsync(served.Address, KeyFileIn(folder)), rules.Text, Ct);
        served.Key = operatorKey;
        await SeesAsync(prometheus, DateTimeOffset.MinValue);
        return new Drill(scene, served, rules, folder, prometheus) { OperatorKey = operatorKey };
    }

    /// <summary>What Prometheus' <c>credentials_file</c> holds from now on.</summary>
    public Task GivePrometheusAsync(string key) => File.WriteAllTextAsync(KeyFileIn(_folder), key, Ct);

    /// <summary>Its process has ended: another takes its place.</summary>
    public async Task StartAgainAsync()
    {
        Served.Dispose();
        Served = await Served.StartAsync(Scene, Served.Address);
        Served.Key = OperatorKey;
        await SeesAsync(_prometheus, DateTimeOffset.UtcNow);
    }

    /// <summary>Each of them fires, if not all at the same time.</summary>
    /// <param name="meanwhile">Done at each look.</param>
    public async Task FireAsync(string[] alerts, Func<Task>? meanwhile = null)
    {
        IReadOnlyList<string>? firing = null;
        var seen = new HashSet<string>();
        await Eventually.True(
            $"these fire: {string.Join(' ', alerts)}",
            async () =>
            {
                if (meanwhile is not null)
                    await meanwhile();
                firing = await _prometheus.FiringAsync(Ct);
                seen.UnionWith(firing ?? []);
                return seen.IsSupersetOf(alerts);
            },
            () => ShownAsync([.. seen]),
            ct: Ct
        );
        _fired.UnionWith(alerts);
        _took.Add(FormattableString.Invariant($"{string.Join('+', alerts)} fired at {_clock.Elapsed.TotalSeconds:0.0}"));
    }

    /// <summary>None of them fires any more, by the end of the drill at the latest: other faults may follow meanwhile.</summary>
    public void Clears(string[] alerts, Func<Task>? meanwhile = null) => _clearing.Add(ClearedAsync(alerts, meanwhile));

    /// <summary>Nothing fires.</summary>
    public Task QuietAsync() => ClearedAsync([.. _rules.Runbooks.Keys], null);

    public async Task ClearedAsync(string[] alerts, Func<Task>? meanwhile = null)
    {
        IReadOnlyList<string>? firing = null;
        await Eventually.True(
            $"these do not fire any more: {string.Join(' ', alerts)}",
            async () =>
            {
                if (meanwhile is not null)
                    await meanwhile();
                firing = await _prometheus.FiringAsync(Ct);
                return firing is not null && !alerts.Any(firing.Contains);
            },
            () => ShownAsync(firing),
            ct: Ct
        );
    }

    /// <summary>Runs the commands of these sections as they are written, in order; of one section all at once.</summary>
    /// <param name="codes">Exit codes by command, where they are not 0.</param>
    /// <param name="with">What the reader puts in place of an example, such as a pid.</param>
    /// <returns>All that they said.</returns>
    public async Task<string> FollowAsync(
        string runbook,
        string[] sections,
        (string Command, int Code)[]? codes = null,
        (string Example, string Real)? with = null
    )
    {
        var path = $"ops/runbooks/{runbook}.md";
        var blocks = (await Runbook.OpenAsync(path, Ct)).Blocks;
        var said = new List<string>();
        foreach (var section in sections)
        {
            var chosen = blocks.Where(b => b.Section == section).ToList();
            Assert.True(chosen.Count > 0, $"{path} has no command below '{section}'.");
            if (section == "Look")
                said.AddRange(await Task.WhenAll(chosen.Select(b => RunAsync(path, b, codes, with))));
            else
                foreach (var block in chosen)
                    said.Add(await RunAsync(path, block, codes, with));
        }
        _followed.Add(path);
        return string.Join(Environment.NewLine, said);
    }

    /// <summary>Everything has cleared, and every alert has fired and has had its runbook followed, but those that are listed here.</summary>
    /// <param name="notCaused">With the reason.</param>
    public async Task EndAsync(IReadOnlyDictionary<string, string> notCaused)
    {
        await Task.WhenAll(_clearing);
        await QuietAsync();
        _took.Add(FormattableString.Invariant($"quiet at {_clock.Elapsed.TotalSeconds:0.0}"));
        Assert.Equal(_rules.Runbooks.Keys.Order(), _fired.Concat(notCaused.Keys).Order());
        Assert.Empty(_fired.Select(a => _rules.Runbooks[a]).Except(_followed));
    }

    public async ValueTask DisposeAsync()
    {
        await _prometheus.DisposeAsync();
        _shell.Dispose();
        _folder.Delete(recursive: true);
        Served.Dispose();
    }

    private async Task<string> RunAsync(
        string path,
        RunbookBlock block,
        (string Command, int Code)[]? codes,
        (string Example, string Real)? with
    )
    {
        var text = with is { } w ? block.Text.Replace(w.Example, w.Real, StringComparison.Ordinal) : block.Text;
        if (block.Language == "sql")
        {
            await QueryAsync(path, text);
            return "";
        }
        // Where this system listens.
        var script = text.Replace("http://127.0.0.1:8642", Served.Address.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);
        var environment = new Dictionary<string, string?>(Scene.Bed.Environment()) { ["CDC_KEY"] = OperatorKey };
        var expected = codes?.Where(c => c.Command == block.Text).Select(c => c.Code).ToArray() is { Length: > 0 } given ? given : [0];
        for (var attempt = 1; ; attempt++)
        {
            var (code, output) = await _shell.RunAsync(script, environment, Ct);
            // The comparison beside the pipeline is at work: a person says it again.
            if (
                code == (int)FailureKind.Refused
                && attempt < MostAttempts
                && block.Text.StartsWith("cdc reconcile", StringComparison.Ordinal)
            )
                continue;
            Assert.True(expected.Contains(code), $"{path}: '{block.Text}' ended with exit code {code}: {output}");
            return output;
        }
    }

    /// <summary>Statement by statement, as psql does it.</summary>
    private async Task QueryAsync(string path, string sql)
    {
        var database =
            sql.StartsWith("-- in the engine\n", StringComparison.Ordinal) ? Scene.Engine
            : sql.StartsWith("-- in Odoo\n", StringComparison.Ordinal) ? Scene.Source
            : throw new InvalidOperationException($"{path} does not say where this runs: {sql}");
        foreach (var statement in sql.Split(";\n"))
            await database.ExecuteAsync(statement, Ct);
    }

    /// <summary>The delivered one, at these addresses, with the key that it shows how to give, and often.</summary>
    private static async Task<string> ConfigurationAsync(Uri target, string keyFile)
    {
        var delivered = await File.ReadAllTextAsync(SourceTree.PathOf("ops/prometheus/prometheus.yml"), Ct);
        return "global: { evaluation_interval: 250ms }\n"
            + string.Join(
                    '\n',
                    // There is no Alertmanager here.
                    delivered.Split('\n').Where(l => !l.StartsWith("alerting:", StringComparison.Ordinal))
                )
                .Replace("# authorization:", "authorization:", StringComparison.Ordinal)
                .Replace("/etc/prometheus/cdc.key", keyFile, StringComparison.Ordinal)
                .Replace("127.0.0.1:8642", target.Authority, StringComparison.Ordinal)
                .Replace("scrape_interval: 15s", "scrape_interval: 1s", StringComparison.Ordinal)
                .Replace("scrape_timeout: 10s", "scrape_timeout: 1s", StringComparison.Ordinal);
    }

    /// <summary>It has read the process, with its key, since then: what grows can only be seen from its second sample on.</summary>
    private static Task SeesAsync(PrometheusServer prometheus, DateTimeOffset since) =>
        Eventually.True(
            "Prometheus has read it, with its key",
            () =>
                prometheus.FindsAsync(
                    FormattableString.Invariant($"cdc_quarantined_rows_total == 0 and timestamp(cdc_quarantined_rows_total) > {Math.Max(0, since.ToUnixTimeSeconds())}"),
                    Ct
                ),
            () => Task.FromResult(prometheus.Tail),
            ct: Ct
        );

    private async Task<string> ShownAsync(IReadOnlyList<string>? firing)
    {
        var metrics = "";
        try
        {
            metrics = (await Served.GetAsync("/metrics")).Text;
        }
        catch (HttpRequestException e)
        {
            metrics = e.Message;
        }
        return string.Join(
            Environment.NewLine,
            $"firing: {string.Join(' ', firing ?? [])}",
            Took,
            _prometheus.Tail,
            string.Join(
                Environment.NewLine,
                metrics.Split('\n').Where(l => !l.StartsWith('#') && !l.Contains("_bucket", StringComparison.Ordinal))
            ),
            Served.Run.Tail
        );
    }
}
