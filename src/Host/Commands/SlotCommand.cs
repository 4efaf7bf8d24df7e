using System.CommandLine;

namespace Cdc.Host.Commands;

internal static class SlotCommand
{
    public static Command Create(CommandHost host) =>
        new("slot", "The replication slot in Odoo's server: it keeps what the engine does not have yet.")
        {
            SlotShowCommand.Create(host),
            SlotCreateCommand.Create(host),
            SlotDropCommand.Create(host),
            SlotResetCommand.Create(host),
            SlotAdoptCommand.Create(host),
        };
}
