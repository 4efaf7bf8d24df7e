using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Alerts;

namespace Cdc.Host.Commands;

/// <summary>Alerts of the comparison beside the pipeline.</summary>
internal static class AlertsCommand
{
    private static readonly Argument<string[]> Names = new("ALERT")
    {
        Description = "warning, alert, remediation, page; without any all that have fired.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new("alerts", "Alerts of the comparison that runs beside the pipeline.")
        {
            new ExplainedCommand(
                "list",
                """
                Which alerts have fired, since when and why.

                Examples:
                  cdc alerts list
                  cdc alerts list --json
                """
            )
            {
                AsJson,
            }.Runs(host, ListAsync),
            new ExplainedCommand(
                "rearm",
                """
                Arm alerts again that have fired. Until then they stay fired, whatever was compared since; what was compared before does not
                fire them again.

                Examples:
                  cdc alerts rearm
                  cdc alerts rearm alert page
                """
            )
            {
                Names,
            }.Runs(host, RearmAsync),
        };

    private static async Task<int> ListAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var alerts = await engine.UseAsync(c => AlertTable.ListAsync(c, ct), ct);
        if (parsed.GetValue(AsJson))
        {
            context.Terminal.Out.WriteLine(Json.Document(new { alerts }));
            return ExitCodes.Success;
        }
        var grid = new TextTable("alert", "state", "since", "run", "why");
        foreach (var a in alerts)
            grid.Add(a.Name, a.State, Quantity.Time(a.FiredAt ?? a.ArmedAt), a.Run?.ToString() ?? "-", a.Message ?? "-");
        grid.Write(context.Terminal);
        return ExitCodes.Success;
    }

    private static async Task<int> RearmAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var names = parsed.GetValue(Names) is { Length: > 0 } given ? given : [.. AlertName.All];
        if (names.Except(AlertName.All).FirstOrDefault() is { } unknown)
            throw new CdcException(FailureKind.Usage, $"There is no alert '{unknown}'.", $"Alerts: {string.Join(", ", AlertName.All)}.");
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var armed = await engine.UseAsync(c => AlertTable.ArmAsync(c, names, context.Time.GetUtcNow(), ct), ct);
        context.Terminal.Out.WriteLine(
            armed.Count == 0 ? "none of them had fired" : $"armed again: {string.Join(", ", AlertName.All.Where(armed.Contains))}"
        );
        return ExitCodes.Success;
    }
}
