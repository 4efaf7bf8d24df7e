using System.CommandLine;
using System.CommandLine.Parsing;
using Cdc.Host.Configuration;

namespace Cdc.Host;

/// <summary>Tells what is wrong with a command line, on stderr: the library's own report puts its suggestions among the results.</summary>
internal static class UsageReport
{
    public static void Write(ParseResult parsed, TextWriter error)
    {
        foreach (var message in parsed.Errors.Select(e => e.Message).Distinct()) error.WriteLine("error: " + message);
        var command = parsed.CommandResult;
        var near = parsed.UnmatchedTokens.Select(token => NearestName.Of(token, NamesOf(command))).FirstOrDefault(name => name is not null);
        error.WriteLine(near is null ? $"what to do next: {PathOf(command)} --help" : $"what to do next: did you mean '{PathOf(command)} {near}'? ({PathOf(command)} --help)");
    }

    private static IEnumerable<string> NamesOf(CommandResult command) =>
        [.. command.Command.Subcommands.Select(c => c.Name), .. command.Command.Options.Select(o => o.Name)];

    private static string PathOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "cdc";
}
