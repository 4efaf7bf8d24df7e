using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.RegularExpressions;
using Cdc.Core.Entities;

namespace Cdc.Host;

/// <summary>
/// Reports what is wrong with a command line, on stderr: the library's own report puts its suggestions among the results.
/// </summary>
internal static partial class UsageReport
{
    public static void Write(ParseResult parsed, TextWriter error)
    {
        var command = parsed.CommandResult;
        var commands = command.Command.Subcommands.Select(c => c.Name).ToList();
        // The library would call it an argument, and also report a missing command.
        var unknown = commands.Count > 0 ? parsed.UnmatchedTokens.FirstOrDefault(token => !token.StartsWith('-')) : null;
        if (unknown is not null)
            error.WriteLine($"error: '{PathOf(command)}' has no command '{unknown}'.");
        else
            foreach (var message in parsed.Errors.Select(e => Readable(e.Message)).Distinct())
                error.WriteLine("error: " + message);
        var near = parsed.UnmatchedTokens.Select(token => NearestName.Of(token, NamesOf(command))).FirstOrDefault(name => name is not null);
        var next =
            near is not null ? $"did you mean '{PathOf(command)} {near}'? ({PathOf(command)} --help)"
            : unknown is not null ? $"use one of {string.Join(", ", commands)} ({PathOf(command)} --help)"
            : $"{PathOf(command)} --help";
        error.WriteLine("what to do next: " + next);
    }

    /// <summary>The library names the type that it could not make, as .NET calls it.</summary>
    private static string Readable(string message) => WholeNumber().Replace(Number().Replace(message, "as a number"), "as a whole number");

    private static IEnumerable<string> NamesOf(CommandResult command) =>
        [.. command.Command.Subcommands.Select(c => c.Name), .. command.Command.Options.Select(o => o.Name)];

    private static string PathOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "cdc";

    [GeneratedRegex("as expected type '[^']*Int(32|64)[^']*'")]
    private static partial Regex WholeNumber();

    [GeneratedRegex("as expected type '[^']*(Double|Decimal)[^']*'")]
    private static partial Regex Number();
}
