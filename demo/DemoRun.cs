using System.Globalization;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Expressions.Declaration;
using Cdc.Log.Kafka;
using Cdc.Testing;
using Cdc.Testing.Equality;
using Cdc.Testing.Kafka;
using Cdc.Testing.Processes;
using Cdc.Workload;

namespace Cdc.Demo;

/// <summary>The demo from the first server to the last check.</summary>
internal sealed class DemoRun(DemoOptions options, DemoView view, CancellationToken end)
{
    /// <summary>While the demo runs.</summary>
    private const string EnvironmentFile = ".run/demo.env";
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan BetweenChecks = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CatchUp = TimeSpan.FromMinutes(3);
    private readonly EntitySet _entities = EntityFile.Load(
        options.Odoo.Preset() ?? Path.Combine(AppContext.BaseDirectory, "schemas", "entities.json")
    );

    /// <returns>The exit code: 0 when source and engine are equal.</returns>
    public async Task<int> RunAsync()
    {
        view.Say(options.Kafka ? "Starting two PostgreSQL servers and a Kafka broker …" : "Starting two PostgreSQL servers …");
        await using var servers = await DemoServers.StartAsync(options.Kafka, options.Odoo.Preset(), end);
        view.Say(Text($"Odoo:   {servers.SourcePsql}"));
        view.Say(Text($"Engine: {servers.EnginePsql}"));
        view.Say(
            Text($"Page:   {servers.ApiUrl}/  (lag, throughput, quarantine, live; balances: curl {servers.ApiUrl}/cards/CODE/balance)")
        );
        using var environment = ShellEnvironment.Write(SourceTree.PathOf(EnvironmentFile), servers.CdcSettings, CdcProcess.CommandLine);
        view.Say(Text($"Commands, in another terminal:  source '{SourceTree.PathOf(EnvironmentFile)}' && cdc status"));
        if (servers.Kafka is { } kafka)
            view.Say(Text($"Kafka:  {kafka.Options.BootstrapServers}"));
        await PrepareSourceAsync(servers);
        await CdcAsync(servers, "migrate");
        if (
            servers.Kafka is { } log
            && await log.TakesRequestsAsync(LogTopics.DataTopics(_entities, LogTopics.TopicOf(_entities, log.Options)), end)
        )
            await CdcAsync(servers, "topics", "create");
        await using var pipeline = await CdcProcess.StartAsync(["run"], servers.CdcSettings, null, end);
        await using var workload = await CdcProcess.StartAsync(WorkloadArguments(servers), servers.CdcSettings, null, end);
        await WatchAsync(servers, pipeline, workload);
        return await FinishAsync(servers, pipeline, workload);
    }

    private async Task PrepareSourceAsync(DemoServers servers)
    {
        view.Say(
            options.Odoo == OdooVersion.Delivered
                ? Text(
                    $"Filling Odoo: {options.Cards:#,0} cards, {2 * options.Cards:#,0} point moves, {10 * options.Cards:#,0} history rows …"
                )
                : Text($"Filling Odoo {options.Odoo.Name()}: {options.Cards:#,0} cards …")
        );
        await using var generator = new WorkloadGenerator(
            new WorkloadOptions
            {
                ConnectionString = servers.SourceString,
                Seed = options.Seed,
                Odoo = options.Odoo,
                CreateTables = true,
                Initial = InitialRows.Shop(options.Cards),
            }
        );
        await generator.PrepareAsync(end);
    }

    private async Task CdcAsync(DemoServers servers, params string[] arguments)
    {
        var command = string.Join(' ', arguments);
        view.Say("cdc " + command);
        var (code, output) = await CdcProcess.RunAsync(arguments, servers.CdcSettings, end);
        if (code != 0)
            throw Ended(command, code, output);
    }

    private string[] WorkloadArguments(DemoServers servers) =>
        [
            "workload",
            "--connection",
            servers.SourceString,
            "--seed",
            Text($"{options.Seed}"),
            "--rate",
            Text($"{options.Rate}"),
            .. options.Odoo == OdooVersion.Delivered ? Array.Empty<string>() : ["--odoo", options.Odoo.Name()],
        ];

    private async Task WatchAsync(DemoServers servers, WatchedProcess pipeline, WatchedProcess workload)
    {
        var howToEnd = options.Duration is null ? "; Ctrl-C ends it with a check of every row" : "";
        view.Say(Text($"cdc run, and cdc workload at {options.Rate:#,0.#} transactions/s{howToEnd}"));
        using var over = CancellationTokenSource.CreateLinkedTokenSource(end);
        if (options.Duration is { } duration)
            over.CancelAfter(duration);
        try
        {
            await view.LiveAsync(show => ShowAsync(servers, pipeline, workload, show, over.Token));
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // Time is up.
        }
    }

    private async Task ShowAsync(
        DemoServers servers,
        WatchedProcess pipeline,
        WatchedProcess workload,
        Action<DemoSample, string> show,
        CancellationToken ct
    )
    {
        var probe = new DemoProbe(servers, _entities);
        var check = new LiveCheck(servers, _entities, workload);
        var (remark, nextCheck) = ("", BetweenChecks);
        using var timer = new PeriodicTimer(Tick);
        do
        {
            ThrowIfEnded(pipeline, "run");
            ThrowIfEnded(workload, "workload");
            var sample = await probe.SampleAsync(ct);
            if (sample.Elapsed >= nextCheck)
            {
                remark = Remark(await InTimeAsync(pipeline, () => check.RunAsync(ct)), sample.Elapsed);
                nextCheck = sample.Elapsed + BetweenChecks;
            }
            show(sample, remark);
        } while (await timer.WaitForNextTickAsync(ct));
    }

    private async Task<int> FinishAsync(DemoServers servers, WatchedProcess pipeline, WatchedProcess workload)
    {
        var workloadCode = await workload.StopAsync(Signal.Terminate, CancellationToken.None);
        if (workloadCode != 0)
            throw Ended("workload", workloadCode, workload.Tail);
        ThrowIfEnded(pipeline, "run");
        view.Say("Odoo rests. Waiting until the engine has everything …");
        await InTimeAsync(
            pipeline,
            async () =>
            {
                await EngineProgress.CatchUpAsync(servers.Source, servers.Engine, CancellationToken.None, CatchUp);
                return true;
            }
        );
        var report = await new EqualityCheck(_entities).CompareAsync(servers.Source, servers.Engine, CancellationToken.None);
        view.Say(report.ToString());
        var pipelineCode = await pipeline.StopAsync(Signal.Terminate, CancellationToken.None);
        if (pipelineCode != 0)
            throw Ended("run", pipelineCode, pipeline.Tail);
        view.Say(report.AreEqual ? "Equal: every row and column of the engine is what the declaration makes of Odoo's." : "NOT EQUAL.");
        return report.AreEqual ? 0 : (int)FailureKind.NotEqual;
    }

    /// <summary>What is waited for in vain has a reason, mostly: a pipeline that has ended, and what it said.</summary>
    private static async Task<T> InTimeAsync<T>(WatchedProcess pipeline, Func<Task<T>> wait)
    {
        try
        {
            return await wait();
        }
        catch (TimeoutException late)
        {
            ThrowIfEnded(pipeline, "run");
            throw new CdcException(FailureKind.NotEqual, late.Message, $"cdc run said last:{Environment.NewLine}{pipeline.Tail}", late);
        }
    }

    private static void ThrowIfEnded(WatchedProcess process, string command)
    {
        if (process.HasExited)
            throw Ended(command, process.ExitCode, process.Tail);
    }

    private static CdcException Ended(string command, int code, string output) =>
        new(
            code != 0 && Enum.IsDefined((FailureKind)code) ? (FailureKind)code : FailureKind.Unexpected,
            Text($"'cdc {command}' ended with exit code {code}."),
            $"It said last:{Environment.NewLine}{output}"
        );

    private static string Remark(EqualityReport report, TimeSpan at) =>
        report.AreEqual
            ? Text($"Checked at {at.TotalSeconds:0} s: {report.Entities.Sum(e => e.Rows):#,0} rows, all equal.")
            : Text($"Checked at {at.TotalSeconds:0} s: {report.Examples[0]}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
