using System.CommandLine;

namespace Cdc.Host;

/// <summary>Options that every command takes.</summary>
internal static class GlobalOptions
{
    public static readonly Option<string?> Config = new("--config", "-c")
    {
        Description = "Configuration file instead of cdc.json in the current folder.",
        HelpName = "FILE",
        Recursive = true,
    };

    public static readonly Option<bool> Verbose = new("--verbose", "-v") { Description = "Log what is done in detail.", Recursive = true };

    /// <summary>One for each command that asks before it acts.</summary>
    public static Option<bool> Yes() => new("--yes", "-y") { Description = "Do not ask. What will happen is still said." };

    public static Option<bool> Json() => new("--json") { Description = "One JSON document (its shape: docs/commands.md)." };
}
