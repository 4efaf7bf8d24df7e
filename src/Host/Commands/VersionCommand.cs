using System.CommandLine;
using System.Reflection;

namespace Cdc.Host.Commands;

internal static class VersionCommand
{
    public static string Text =>
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static Command Create(CommandHost host) =>
        new ExplainedCommand("version", "Print the version of cdc and of .NET.").Runs(
            host,
            (context, _, _) =>
            {
                context.Terminal.Out.WriteLine($"cdc {Text} (.NET {Environment.Version})");
                return Task.FromResult(ExitCodes.Success);
            }
        );
}
