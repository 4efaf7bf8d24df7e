using System.CommandLine;
using Cdc.Core.Postgres.Values;
using Cdc.Host.Configuration;

namespace Cdc.Host.Commands;

internal static class CaptureCommand
{
    public static Command Create(CommandHost host, StopSignals? signals) =>
        new ExplainedCommand(
            "capture",
            """
            Bring every change from Odoo into the Kafka log (Log:Kind=Kafka), until Ctrl-C or SIGTERM. Continues while the engine is down.

            A second 'cdc capture' on the same slot waits as standby. 'cdc apply' brings the log into the engine; 'cdc run' does both.

            Examples:
              CDC__Log__Kind=Kafka CDC__Kafka__BootstrapServers=127.0.0.1:9092 cdc capture
            """
        ).Runs(host, (context, _, ct) => RunCommand.RunAsync(context, signals, Needs.Both, context.Parts.Capture, ct));
}
