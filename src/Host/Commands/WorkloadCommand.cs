using System.CommandLine;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;
using Cdc.Workload;

namespace Cdc.Host.Commands;

internal static class WorkloadCommand
{
    /// <summary>Never taken from the configuration: the source that is named there may be a real Odoo.</summary>
    private static readonly Option<string> Connection = new("--connection")
    {
        Description = "The test database that is written to, with a role that may create and write Odoo's tables.",
        HelpName = "STRING",
        Required = true,
    };
    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "The same seed writes the same history.",
        DefaultValueFactory = _ => 1,
        HelpName = "N",
    };
    private static readonly Option<double?> Rate = new("--rate")
    {
        Description = "Transactions a second; without it flat out.",
        HelpName = "N",
    };
    private static readonly Option<double?> Seconds = new("--seconds")
    {
        Description = "How long; without it until Ctrl-C.",
        HelpName = "N",
    };
    private static readonly Option<int> Cards = new("--cards")
    {
        Description = "Cards to begin with.",
        DefaultValueFactory = _ => 1_000,
        HelpName = "N",
    };
    private static readonly Option<int> Sessions = new("--sessions")
    {
        Description = "Concurrent connections.",
        DefaultValueFactory = _ => 4,
        HelpName = "N",
    };

    private static readonly Option<string?> Odoo = new("--odoo")
    {
        Description = "Whose tables and whose habits: 16, 17, 18, 19, 20 or 16-points; without it those of the delivered declaration.",
        HelpName = "VERSION",
    };

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "workload",
            """
            Behave like Odoo: write loyalty data into a TEST database, and create its tables there. A database in which Odoo is installed is refused.

            Examples:
              cdc workload --connection 'Host=...;Database=odoo_test;Username=odoo' --rate 200 --seconds 60
              cdc workload --connection 'Host=...;Database=odoo_test;Username=odoo' --seed 7 --cards 100000
              cdc workload --connection 'Host=...;Database=odoo_test;Username=odoo' --odoo 19
            """
        )
        {
            Connection,
            Seed,
            Rate,
            Seconds,
            Cards,
            Sessions,
            Odoo,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var seconds = parsed.GetValue(Seconds);
        var request = new WorkloadRequest(
            Read(parsed.GetRequiredValue(Connection)),
            parsed.GetValue(Seed),
            parsed.GetValue(Rate),
            seconds is { } s ? TimeSpan.FromSeconds(s) : null,
            parsed.GetValue(Cards),
            parsed.GetValue(Sessions)
        )
        {
            Odoo = parsed.GetValue(Odoo) is { } version ? VersionOf(version) : OdooVersion.Delivered,
        };
        Check(request);
        var last = new WorkloadProgress(0, TimeSpan.Zero);
        try
        {
            await context.Parts.Workload(request, new WorkloadLines(context.Terminal, p => last = p), ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested && request.Duration is null)
        {
            // Without --seconds this is how it ends.
        }
        catch (Exception e) when (ServerFailure.Of(Server.Source, e, "database of --connection") is { } failure)
        {
            throw new CdcException(failure.Kind, failure.Message, "Correct --connection, or that server.", e);
        }
        context.Terminal.Out.WriteLine(WorkloadLines.Describe(last));
        return ExitCodes.Success;
    }

    private static OdooVersion VersionOf(string version) =>
        OdooVersions.Parse(version)
        ?? throw new CdcException(
            FailureKind.Usage,
            $"There are no tables of an Odoo {version}.",
            NearestName.Remedy(version, OdooVersions.All.Where(v => v != OdooVersion.Delivered).Select(v => v.Name()), "Give --odoo one of")
        );

    private static string Read(string connection) =>
        ConnectionForms.WhyNot(connection) is { } why
            ? throw new CdcException(
                FailureKind.Usage,
                $"--connection {why}.",
                "Such as --connection 'Host=127.0.0.1;Database=odoo_test;Username=odoo'."
            )
            : ConnectionText.ToNpgsql(connection);

    private static void Check(WorkloadRequest request)
    {
        if (request.Rate is <= 0 || request.Duration?.TotalSeconds is <= 0 || request.Cards < 1 || request.Sessions < 1)
            throw new CdcException(FailureKind.Usage, "--rate, --seconds, --cards and --sessions must be above 0.", "cdc workload --help");
    }
}

/// <summary>Shows progress on stderr, as it is reported.</summary>
internal sealed class WorkloadLines(Terminal terminal, Action<WorkloadProgress> keep) : IProgress<WorkloadProgress>
{
    public void Report(WorkloadProgress value)
    {
        keep(value);
        if (terminal.ErrorIsTerminal)
            terminal.Error.Write('\r' + Describe(value).PadRight(78));
        else
            terminal.Error.WriteLine(Describe(value));
    }

    public static string Describe(WorkloadProgress p) =>
        $"{Quantity.Count(p.Transactions)} transactions in {Quantity.Duration(p.Elapsed.TotalSeconds)}"
        + $" ({Quantity.Count((long)(p.Transactions / Math.Max(0.001, p.Elapsed.TotalSeconds)))}/s)";
}
