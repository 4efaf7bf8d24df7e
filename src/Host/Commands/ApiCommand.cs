using System.CommandLine;
using Cdc.Host.Configuration;

namespace Cdc.Host.Commands;

internal static class ApiCommand
{
    public static Command Create(CommandHost host, StopSignals? signals) =>
        new ExplainedCommand(
            "api",
            """
            Serve balances, lag, quarantine, feature flags, health and metrics over HTTP until Ctrl-C or SIGTERM. 'cdc run' does this too;
            by itself it scales out beside one, or many.

            Examples:
              cdc api
              CDC__Api__Urls='http://127.0.0.1:9000' cdc api
              curl http://127.0.0.1:8642/health
            """
        ).Runs(host, (context, _, ct) => RunAsync(context, signals, ct));

    private static async Task<int> RunAsync(CommandContext context, StopSignals? signals, CancellationToken ct)
    {
        var options = context.Options(Needs.Both);
        using var stopping = ct.Register(() => context.Log.ApiStops(signals?.First ?? "cancelled"));
        await context.Parts.Api(options, context.Entities(options), context.Loggers, ct);
        return ExitCodes.Success;
    }
}
