using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Microsoft.Extensions.Logging;

namespace Cdc.Host.Commands;

internal static class RunCommand
{
    public static Command Create(CommandHost host, StopSignals? signals) =>
        new ExplainedCommand(
            "run",
            """
            Load the tables, then follow every change, until Ctrl-C or SIGTERM (drains and exits 0).

            A second 'cdc run' on the same slot waits as standby. Progress is in the engine: stop and start it at any time.

            Examples:
              cdc run
              cdc run --config /etc/cdc/cdc.json --verbose
            """
        ).Runs(host, (context, _, ct) => RunAsync(context, signals, Needs.Both, context.Parts.Pipeline, ct));

    /// <summary>Keeps a part of the pipeline, or all of it, running until it is asked to stop, and reports how it ended.</summary>
    public static async Task<int> RunAsync(
        CommandContext context,
        StopSignals? signals,
        Needs needs,
        RunPipeline part,
        CancellationToken ct
    )
    {
        var log = context.Loggers.CreateLogger("Cdc.Host");
        try
        {
            var options = context.Options(needs);
            var entities = context.Entities(options);
            log.Running(VersionCommand.Text, options.Source.SlotName, options.Source.Publication, entities.Count);
            using var draining = ct.Register(() => log.Draining(signals?.First ?? "cancelled"));
            await DrainedAsync(part(options, entities, context.Loggers, ct), ct);
            log.Drained();
            return ExitCodes.Success;
        }
        catch (CdcException failure) when (!context.Terminal.ErrorIsTerminal)
        {
            // Collectors read JSON lines: the plain report of other commands would not parse.
            log.Stopped(ExitCodes.Of(failure), failure.Kind.ToString(), failure.Message, failure.Remedy);
            return ExitCodes.Of(failure);
        }
        catch (Exception failure) when (!context.Terminal.ErrorIsTerminal && failure is not OperationCanceledException)
        {
            log.Defect(failure, ExitCodes.Of(failure), failure.Message);
            return ExitCodes.Of(failure);
        }
    }

    private static async Task DrainedAsync(Task run, CancellationToken ct)
    {
        try
        {
            await run;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // A requested stop is success.
        }
    }
}
