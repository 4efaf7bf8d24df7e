using System.CommandLine;
using System.Globalization;
using Cdc.Host.Configuration;
using Cdc.Host.Terminals;
using Cdc.Reverse;

namespace Cdc.Host.Commands;

internal static class ReverseStatusCommand
{
    private static readonly Option<bool> AsJson = GlobalOptions.Json();

    public static Command Create(CommandHost host) =>
        new ExplainedCommand(
            "status",
            """
            Show what is to be sent to Odoo, what waits to be seen there, cards that stopped and why, and the processes that send.

            Examples:
              cdc reverse status
              cdc reverse status --json
            """
        )
        {
            AsJson,
        }.Runs(host, RunAsync);

    private static async Task<int> RunAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        var options = context.Options(Needs.Engine);
        await using var engine = CommandContext.Engine(options);
        var status = await engine.UseAsync(c => ReverseStatus.ReadAsync(c, ct), ct);
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(status));
        else
            Write(context, status);
        return ExitCodes.Success;
    }

    private static void Write(CommandContext context, ReverseStatus status)
    {
        var output = context.Terminal.Out;
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{status.Counts.Pending} to be sent, {status.Counts.Answered} answered and not seen yet, {status.Counts.Refused} refused, {status.Counts.Synced} in Odoo; the oldest that waits is of {Quantity.Time(status.Counts.Oldest)}"
            )
        );
        foreach (var process in status.Processes)
        {
            output.WriteLine($"{process.Host}: {process.State} since {Quantity.Time(process.Since)}, seen {Quantity.Time(process.SeenAt)}");
            if (process.Message is not null)
                output.WriteLine($"  {process.Message} -> {process.Remedy}");
        }
        foreach (var card in status.Stopped)
            output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"card {card.Card} stopped at {card.Number} ({card.Waiting} behind it): {card.Error}"
                )
            );
        if (status.Processes.Count == 0)
            output.WriteLine("no process sends ('cdc reverse', or 'cdc run' with Reverse:Enabled)");
    }
}
