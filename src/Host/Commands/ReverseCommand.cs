using System.CommandLine;

namespace Cdc.Host.Commands;

/// <summary>The way back, from the engine into Odoo: what it needs there.</summary>
internal static class ReverseCommand
{
    public static Command Create(CommandHost host) =>
        new("reverse", "The way back into Odoo: what it needs there, and which way is possible.")
        {
            ReverseCheckCommand.Create(host),
            ReverseInstallCommand.Create(host),
            ReverseUninstallCommand.Create(host),
        };
}
