using System.CommandLine;
using System.Runtime.InteropServices;
using Cdc.Core.Failures;
using Cdc.Testing.Postgres;
using Cdc.Workload;

namespace Cdc.Demo;

internal static class DemoCommand
{
    private static readonly Option<double?> Seconds = new("--seconds")
    {
        Description = "How long Odoo works; without it until Ctrl-C.",
        HelpName = "N",
    };
    private static readonly Option<int> Cards = new("--cards")
    {
        Description = "Cards at the beginning.",
        DefaultValueFactory = _ => 10_000,
        HelpName = "N",
    };
    private static readonly Option<double> Rate = new("--rate")
    {
        Description = "Odoo's transactions a second.",
        DefaultValueFactory = _ => 500,
        HelpName = "N",
    };
    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "The same seed plans the same work.",
        DefaultValueFactory = _ => 1,
        HelpName = "N",
    };
    private static readonly Option<bool> Kafka = new("--kafka")
    {
        Description = "Over its own Kafka broker, or the one that CDC_TEST_KAFKA names.",
    };

    private static readonly Option<string?> Odoo = new("--odoo")
    {
        Description = "With the tables of Odoo 16, 17, 18, 19, 20 or 16-points, and the preset made for it.",
        HelpName = "VERSION",
    };

    public static RootCommand Create()
    {
        var command = new RootCommand(
            "Two PostgreSQL servers, an Odoo at work, cdc between them; ends with a check of every row and column."
        )
        {
            Seconds,
            Cards,
            Rate,
            Seed,
            Kafka,
            Odoo,
        };
        Odoo.AcceptOnlyFromAmong([.. OdooVersions.All.Where(v => v != OdooVersion.Delivered).Select(v => v.Name())]);
        command.SetAction(
            (parsed, _) =>
                RunAsync(
                    new DemoOptions(
                        parsed.GetValue(Seconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                        parsed.GetValue(Cards),
                        parsed.GetValue(Rate),
                        parsed.GetValue(Seed),
                        parsed.GetValue(Kafka),
                        parsed.GetValue(Odoo) is { } version ? OdooVersions.Parse(version)!.Value : OdooVersion.Delivered
                    )
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(DemoOptions options)
    {
        using var end = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => End(signal, end));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => End(signal, end));
        try
        {
            return await new DemoRun(options, DemoView.Create(), end.Token).RunAsync();
        }
        catch (MissingPrerequisiteException missing)
        {
            await Console.Error.WriteLineAsync($"{missing.Reason} './dev demo' does it for you on Debian.");
            return (int)FailureKind.Unavailable;
        }
        catch (CdcException failure)
        {
            await Console.Error.WriteLineAsync($"{failure.Message}{Environment.NewLine}-> {failure.Remedy}");
            return (int)failure.Kind;
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Before there was anything to check.
            return (int)FailureKind.Refused;
        }
    }

    /// <summary>The first signal ends the demo with its check, the second at once.</summary>
    private static void End(PosixSignalContext signal, CancellationTokenSource end)
    {
        signal.Cancel = !end.IsCancellationRequested;
        end.Cancel();
    }
}
