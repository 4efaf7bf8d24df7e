using System.CommandLine;
using Cdc.Core.Postgres.Values;
using Cdc.Host.Configuration;

namespace Cdc.Host.Commands;

internal static class ApplyCommand
{
    public static Command Create(CommandHost host, StopSignals? signals) =>
        new ExplainedCommand(
            "apply",
            """
            Apply the Kafka log to the engine (Log:Kind=Kafka), until Ctrl-C or SIGTERM. Any number of them share its partitions.

            Progress is in the engine, not in the group's offsets: stop, start and add them at any time.

            Examples:
              CDC__Log__Kind=Kafka CDC__Kafka__BootstrapServers=127.0.0.1:9092 cdc apply
              CDC__Kafka__Workers=4 cdc apply
            """
        ).Runs(host, (context, _, ct) => RunCommand.RunAsync(context, signals, Needs.Engine, context.Parts.Apply, ct));
}
