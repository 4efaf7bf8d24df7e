using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Host;
using Cdc.Host.Terminals;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Reconcile;

/// <summary><c>cdc reconcile --repair</c> over a running pipeline.</summary>
public sealed class RepairCommandTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_dry_run_and_one_that_nobody_confirmed_change_nothing_and_a_confirmed_one_ends_equal()
    {
        await using var bed = await DamagedAsync();
        var dry = await RunAsync(bed, "reconcile", "--repair", "--dry-run");
        Assert.True(
            dry.ExitCode == (int)FailureKind.NotEqual && dry.Output.Contains("3 keys would be read again", StringComparison.Ordinal),
            dry.Output
        );
        var asked = await RunAsync(bed, "reconcile", "--repair");
        Assert.True(
            asked.ExitCode == (int)FailureKind.Refused && asked.Output.Contains("1 rows of card are removed", StringComparison.Ordinal),
            asked.Output
        );
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.requests", Ct));

        var repaired = await RunAsync(bed, "reconcile", "--repair", "--yes");
        Assert.True(
            repaired.ExitCode == 0 && repaired.Output.Contains("3 keys are equal now, 0 still differ", StringComparison.Ordinal),
            repaired.Output
        );
        await bed.AssertEqualAsync(Ct);
        Assert.Equal(0, (await RunAsync(bed, "reconcile")).ExitCode);
    }

    [Fact]
    public async Task Json_has_the_documented_shape()
    {
        await using var bed = await DamagedAsync();
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
        Assert.Equal(
            0,
            await CommandLine.RunAsync(
                ["reconcile", "card", "--repair", "--yes", "--json"],
                new CommandHost(Composition.Connect(), terminal, environment, TimeProvider.System),
                null,
                Ct
            )
        );
        using var json = JsonDocument.Parse(output.ToString());
        var repair = json.RootElement.GetProperty("repair");
        Assert.Equal(
            (false, 3, 0, 0),
            (
                repair.GetProperty("dryRun").GetBoolean(),
                repair.GetProperty("equal").GetInt32(),
                repair.GetProperty("differing").GetInt32(),
                repair.GetProperty("unknown").GetInt32()
            )
        );
        Assert.Equal(
            ["card 7 differing repaired 1", "card 8 missing repaired 1", "card 9001 extra repaired 1"],
            repair
                .GetProperty("keys")
                .EnumerateArray()
                .Select(k =>
                    $"{k.GetProperty("entity")} {k.GetProperty("key")} {k.GetProperty("kind")} {k.GetProperty("outcome")} {k.GetProperty("request")}"
                )
        );
    }

    [Fact]
    public async Task A_repair_that_was_killed_is_on_record_and_the_next_one_finishes_it()
    {
        await using var bed = await DamagedAsync();
        Assert.Equal(137, (await CdcProcess.RunAsync(["reconcile", "--repair", "--yes"], bed.Environment("repair-read"), Ct)).ExitCode);
        Assert.Equal(3, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.reconcile_repairs WHERE outcome IS NULL", Ct));
        Assert.Equal(0, (await RunAsync(bed, "reconcile", "--repair", "--yes")).ExitCode);
        Assert.Equal(["unverified|3"], await bed.Engine.RowsAsync("SELECT outcome, count(*) FROM cdc.reconcile_repairs GROUP BY 1", Ct));
        Assert.Equal(0, await bed.Engine.ScalarAsync<long>("SELECT count(*) FROM cdc.drift WHERE resolved_at IS NULL", Ct));
        await bed.AssertEqualAsync(Ct);
    }

    [Theory]
    [InlineData("--repair", "--sign-off")]
    [InlineData("--dry-run")]
    public async Task Options_that_contradict_each_other_are_refused(params string[] options)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        Assert.Equal((int)FailureKind.Usage, (await RunAsync(bed, ["reconcile", .. options])).ExitCode);
    }

    private async Task<PipelineBed> DamagedAsync()
    {
        var bed = await PipelineBed.CreateAsync(servers, Ct);
        await bed.Source.ExecuteAsync(
            """
            INSERT INTO loyalty_program (name) VALUES ('one');
            INSERT INTO loyalty_card (id, program_id, code, points) SELECT i, 1, 'card ' || i, i FROM generate_series(1, 100) i
            """,
            Ct
        );
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        await bed.Engine.ExecuteAsync(
            """
            UPDATE loyalty_cards SET points = points + 1 WHERE id = 7;
            DELETE FROM loyalty_cards WHERE id = 8;
            INSERT INTO loyalty_cards (id, odoo_card_id, program_id, code, points) VALUES (9001, 9001, 1, 'nobody', 0);
            """,
            Ct
        );
        return bed;
    }

    private static Task<(int ExitCode, string Output)> RunAsync(PipelineBed bed, params string[] args) =>
        CdcProcess.RunAsync(args, bed.Environment(), Ct);
}
