using System.CommandLine;

namespace Cdc.Host.Commands;

internal static class GrantsCommand
{
    public static Command Create(CommandHost host) =>
        new("grants", "The least rights that cdc needs, as commands or SQL to be run by who may give them.")
        {
            GrantsKafkaCommand.Create(host),
        };
}
