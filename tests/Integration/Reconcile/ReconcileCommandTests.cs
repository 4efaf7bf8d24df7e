using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Host;
using Cdc.Host.Terminals;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary>The command over a running pipeline: exit codes, JSON and the page.</summary>
public sealed class ReconcileCommandTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Equal_is_0_drift_is_10_and_the_page_needs_nothing_else()
    {
        await using var bed = await FilledAsync();
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        var page = Path.Combine(Path.GetTempPath(), $"{bed.Source.Name}.html");
        try
        {
            var equal = await RunAsync(bed, "reconcile", "--report", page);
            Assert.Equal((0, "consistent"), (equal.ExitCode, LastWord(equal.Output)));
            await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET code = '<b>&' WHERE id = 7", Ct);
            var drift = await RunAsync(bed, "reconcile", "card", "--report", page);
            Assert.Equal((int)FailureKind.NotEqual, drift.ExitCode);
            var html = await File.ReadAllTextAsync(page, Ct);
            Assert.Contains("&lt;b&gt;&amp;", html, StringComparison.Ordinal);
            Assert.DoesNotContain("<b>&", html, StringComparison.Ordinal);
            Assert.DoesNotContain("http", html, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(page);
        }
    }

    [Fact]
    public async Task Json_has_the_documented_shape()
    {
        await using var bed = await FilledAsync();
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Engine.ExecuteAsync("UPDATE loyalty_cards SET points = points + 0.01 WHERE id = 7", Ct);
        using var output = new StringWriter();
        var terminal = new Terminal
        {
            Out = output,
            Error = TextWriter.Null,
            In = TextReader.Null,
            OutIsTerminal = false,
            ErrorIsTerminal = false,
            CanAsk = false,
        };
        var environment = bed.Environment().ToDictionary(e => e.Key, e => e.Value ?? "");
        var code = await CommandLine.RunAsync(
            ["reconcile", "card", "--json"],
            new CommandHost(Composition.Connect(), terminal, environment, TimeProvider.System),
            null,
            Ct
        );
        Assert.Equal((int)FailureKind.NotEqual, code);
        using var json = JsonDocument.Parse(output.ToString());
        var root = json.RootElement;
        Assert.Equal(
            ("drift", 0.99),
            (root.GetProperty("run").GetProperty("verdict").GetString(), root.GetProperty("total").GetProperty("rate").GetDouble())
        );
        var drift = root.GetProperty("drift")[0];
        Assert.Equal(
            ("card", 7, "differing", "points", "7.00", "7.01"),
            (
                drift.GetProperty("entity").GetString(),
                drift.GetProperty("key").GetInt64(),
                drift.GetProperty("kind").GetString(),
                drift.GetProperty("field").GetString(),
                drift.GetProperty("odooValue").GetString(),
                drift.GetProperty("engineValue").GetString()
            )
        );
    }

    [Fact]
    public async Task A_killed_run_is_gone_on_with()
    {
        await using var bed = await FilledAsync();
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        var killed = await RunAsync(bed, ["reconcile"], "reconcile-slice-saved:2");
        Assert.Equal(137, killed.ExitCode);
        Assert.Equal(0, (await RunAsync(bed, "reconcile")).ExitCode);
        Assert.Equal(
            "done|4",
            Assert.Single(
                await bed.Engine.RowsAsync(
                    "SELECT state, (SELECT count(*) FROM cdc.reconcile_partitions WHERE run = r.id) FROM cdc.reconcile_runs r",
                    Ct
                )
            )
        );
    }

    [Fact]
    public async Task Without_a_running_pipeline_it_says_what_to_start()
    {
        await using var bed = await FilledAsync();
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.StopInProcessAsync();
        var run = await RunAsync(bed, "reconcile", "card");
        Assert.Equal((int)FailureKind.Unavailable, run.ExitCode);
        Assert.Contains("cdc run", run.Output, StringComparison.Ordinal);
        Assert.Equal("failed|", Assert.Single(await bed.Engine.RowsAsync("SELECT state, verdict FROM cdc.reconcile_runs", Ct)));
    }

    private async Task<PipelineBed> FilledAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'card ' || i, i FROM generate_series(1, 100) i
            """,
            Ct
        );
        return bed;
    }

    private static Task<(int ExitCode, string Output)> RunAsync(PipelineBed bed, params string[] args) => RunAsync(bed, args, null);

    private static Task<(int ExitCode, string Output)> RunAsync(PipelineBed bed, string[] args, string? crashAt) =>
        CdcProcess.RunAsync(args, bed.Environment(crashAt), Ct);

    private static string LastWord(string output) => output.Split("run 1: ")[1].Split(',')[0];
}
