using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Testing.Postgres;

namespace Cdc.Bench.Measure;

internal static class BenchCommand
{
    private static readonly Option<bool> Quick = new("--quick")
    {
        Description = "All figures on less data, in under four minutes on a quiet machine.",
    };
    private static readonly Option<FileInfo?> Out = new("--out") { Description = "Write machine and figures as JSON.", HelpName = "FILE" };
    private static readonly Option<string?> Only = new("--only")
    {
        Description = "Some of: load, backlog, bulk, latency; with commas between.",
        HelpName = "PARTS",
    };
    private static readonly Option<bool> Long = new("--long")
    {
        Description = "Instead of all others: memory with a transaction of 5 million rows, and with a backlog of 2 million.",
    };
    private static readonly Option<bool> Reconcile = new("--reconcile")
    {
        Description = "Instead of all others: the comparison of Odoo and engine, 5 million rows a side (with --quick 1 million).",
    };
    private static readonly Option<bool> Api = new("--api")
    {
        Description =
            "Instead of all others: balances at 2,000 requests/s beside 1,000 orders/s for 5 minutes (with --quick 15 s), and at most, "
            + "beside a bare Api.",
    };
    private static readonly Option<bool> Kafka = new("--kafka")
    {
        Description =
            "cdc over Kafka, its own broker or the one that CDC_TEST_KAFKA names: backlog, latency and each stage, or what --only says.",
    };
    private static readonly Option<int?> Rounds = new("--rounds") { Description = "How often native and cdc take turns.", HelpName = "N" };
    private static readonly Option<string> Subscription = new("--subscription")
    {
        Description = "Options for native's CREATE SUBSCRIPTION, such as 'binary = true'.",
        DefaultValueFactory = _ => "",
        HelpName = "OPTIONS",
    };

    public static Command Create()
    {
        var command = new Command("bench", "Measures cdc run against PostgreSQL's own logical replication, on its own servers.")
        {
            Quick,
            Out,
            Only,
            Long,
            Reconcile,
            Kafka,
            Api,
            Rounds,
            Subscription,
        };
        Only.Validators.Add(result =>
        {
            if (PartsOf(result.GetValueOrDefault<string?>()) is null)
                result.AddError("--only takes some of: load, backlog, bulk, latency; with commas between.");
        });
        Rounds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() is < 1)
                result.AddError("--rounds must be at least 1.");
        });
        command.SetAction((parsed, ct) => RunAsync(OptionsOf(parsed), ct));
        return command;
    }

    private static MeasureOptions OptionsOf(ParseResult parsed)
    {
        var sizes = parsed.GetValue(Quick) ? MeasureSizes.Quick : MeasureSizes.Full;
        if (parsed.GetValue(Rounds) is { } rounds)
            sizes = sizes with { Rounds = rounds, LatencyRounds = rounds };
        var parts =
            parsed.GetValue(Long) ? Parts.Long
            : parsed.GetValue(Reconcile) ? Parts.Reconcile
            : parsed.GetValue(Kafka) && parsed.GetValue(Only) is null ? Parts.Kafka
            : parsed.GetValue(Api) ? Parts.Api
            : PartsOf(parsed.GetValue(Only))!.Value;
        return new MeasureOptions(parts, sizes, parsed.GetValue(Kafka), parsed.GetValue(Subscription)!, parsed.GetValue(Out));
    }

    private static async Task<int> RunAsync(MeasureOptions options, CancellationToken ct)
    {
        try
        {
            await new MeasureRun(options).RunAsync(ct);
            return 0;
        }
        catch (MissingPrerequisiteException missing)
        {
            await Console.Error.WriteLineAsync($"{missing.Reason} './dev bench' does it for you on Debian.");
            return (int)FailureKind.Unavailable;
        }
        catch (CdcException failure)
        {
            await Console.Error.WriteLineAsync($"{failure.Message}{Environment.NewLine}-> {failure.Remedy}");
            return (int)failure.Kind;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return (int)FailureKind.Refused;
        }
    }

    /// <summary>All for null; null if a word is none of them.</summary>
    private static Parts? PartsOf(string? words)
    {
        if (words is null)
            return Parts.All;
        var parts = Parts.None;
        foreach (var word in words.Split(',', StringSplitOptions.TrimEntries))
        {
            if (
                !word.All(char.IsAsciiLetter)
                || !Enum.TryParse<Parts>(word, ignoreCase: true, out var part)
                || !Parts.All.HasFlag(part)
                || part == Parts.None
            )
                return null;
            parts |= part;
        }
        return parts;
    }
}
