using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host.Configuration;
using Microsoft.Extensions.Logging;

namespace Cdc.Host.Commands;

internal static class RunCommand
{
    private static readonly Option<bool> ExitOnGap = new("--exit-on-gap")
    {
        Description = "End with exit code 5 on a break in continuity, where the Api would go on alone (Source:ExitOnGap).",
    };

    public static Command Create(CommandHost host, StopSignals? signals) =>
        new ExplainedCommand(
            "run",
            """
            Load the tables, then follow every change, until Ctrl-C or SIGTERM (drains and exits 0).

            A second 'cdc run' on the same slot waits as standby. Progress is in the engine: stop and start it at any time.
            What needs a person (a break in continuity, a missing privilege) stops the pipeline, not the Api: see 'cdc status'. When it is
            repaired, the pipeline continues by itself.

            Examples:
              cdc run
              cdc run --config /etc/cdc/cdc.json --verbose
              cdc run --exit-on-gap
            """
        )
        {
            ExitOnGap,
        }.Runs(host, (context, parsed, ct) => RunAsync(context, signals, Needs.Both, Pipeline(context, parsed.GetValue(ExitOnGap)), ct));

    private static RunPipeline Pipeline(CommandContext context, bool exitOnGap) =>
        exitOnGap
            ? (options, entities, loggers, ct) =>
                context.Parts.Pipeline(options with { Source = options.Source with { ExitOnGap = true } }, entities, loggers, ct)
            : context.Parts.Pipeline;

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
        catch (CdcException failure) when (context.IsCollected)
        {
            // Collectors read JSON lines: the plain report of other commands would not parse.
            log.Stopped(ExitCodes.Of(failure), failure.Kind.ToString(), failure.Message, failure.Remedy);
            return ExitCodes.Of(failure);
        }
        catch (Exception failure) when (context.IsCollected && failure is not OperationCanceledException)
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
