using System.CommandLine;
using Cdc.Core.Entities;
using Cdc.Host.Configuration;
using Cdc.Reverse;
using Microsoft.Extensions.Logging;

namespace Cdc.Host.Commands;

/// <summary>The way back, from the engine into Odoo: sends its own changes, and what that needs.</summary>
internal static class ReverseCommand
{
    public static Command Create(CommandHost host, StopSignals? signals) =>
        new ExplainedCommand(
            "reverse",
            """
            Send the engine's own changes to Odoo, until Ctrl-C or SIGTERM. 'cdc run' does it too where Reverse:Enabled is true.

            Any number of processes share the work; each change is applied once, however often it is sent. Needs what 'cdc reverse install' makes
            in Odoo, and a declaration that says what flows back (docs/writing-back.md).

            Examples:
              cdc reverse
              cdc reverse status
            """
        )
        {
            ReverseCheckCommand.Create(host),
            ReverseInstallCommand.Create(host),
            ReverseUninstallCommand.Create(host),
            ReverseStatusCommand.Create(host),
            ReverseRetryCommand.Create(host),
            ReverseSkipCommand.Create(host),
        }.Runs(host, (context, _, ct) => RunCommand.RunAsync(context, signals, Needs.Engine, SendAsync, ct));

    /// <summary>What needs a person at the start ends it; later everything is tried again.</summary>
    private static async Task SendAsync(CdcOptions options, EntitySet entities, ILoggerFactory loggers, CancellationToken ct)
    {
        var worker = new ReverseWorker(options.WayBack, entities, TimeProvider.System, loggers.CreateLogger("Cdc.Reverse"));
        await worker.RequireAsync(ct);
        await worker.RunAsync(ct);
    }
}
