using System.Text.RegularExpressions;
using Xunit;

namespace Cdc.Tests.Unit.Host;

/// <summary>docs/checks.md has every word that a finding may have, and no other.</summary>
public sealed partial class DocumentedFindingsTests
{
    /// <summary>Verdicts of 'cdc slot show', in a file that has findings too.</summary>
    private static readonly string[] Verdicts = ["other-identity", "not-followed"];

    [Fact]
    public void Every_finding_is_documented_once_and_every_documented_one_exists()
    {
        var documented = Row()
            .Matches(File.ReadAllText(SourceTree.PathOf("docs/checks.md")))
            .SelectMany(row => Word().Matches(row.Groups[1].Value))
            .Select(word => word.Groups[1].Value)
            .ToList();
        var written = SourceTree.Files("src", "*.cs").Select(File.ReadAllText).SelectMany(Codes).Distinct().Except(Verdicts).ToList();
        Assert.True(written.Count > 100, $"Only {written.Count} codes under src.");
        Assert.Equal(written.Order(), documented.Order());
    }

    private static IEnumerable<string> Codes(string source) =>
        source.Contains("record ServerFailure(", StringComparison.Ordinal) ? OfServer(source)
        : HasFindings().IsMatch(source)
            ? [.. Hyphened().Matches(source).Select(Group), .. Single().Matches(source).Select(Group), .. Room(source)]
        : [];

    /// <summary>
    /// These words stand behind the server's name. Of the engine the failure is carried on without its word, and is the finding
    /// <c>engine</c>; that migrations are missing, and that a shared table is locked, is said of the engine alone.
    /// </summary>
    private static IEnumerable<string> OfServer(string source) =>
        Said()
            .Matches(source)
            .SelectMany(WordsOf)
            .Where(w => w != "migrations")
            .Select(w => w == "locked" ? "engine-locked" : $"source-{w}");

    private static IEnumerable<string> WordsOf(Match said) =>
        said.Groups.Values.Skip(1).Where(g => g.Success && g.Value.Length > 0).Select(g => g.Value);

    private static IEnumerable<string> Room(string source) =>
        source.Contains("$\"{server}-connections\"", StringComparison.Ordinal) ? ["source-connections", "engine-connections"] : [];

    private static string Group(Match match) => match.Groups[1].Value;

    [GeneratedRegex(@"^\| ((?:`[a-z-]+`(?:, )?)+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([a-z-]+)`")]
    private static partial Regex Word();

    [GeneratedRegex(@"\b(Findings?|FindingsException|ExpressionException)\b")]
    private static partial Regex HasFindings();

    /// <summary>Places of <c>CrashPoint</c> have hyphens too.</summary>
    [GeneratedRegex(@"(?<!Hit\()""([a-z0-9]+(?:-[a-z0-9]+)+)""")]
    private static partial Regex Hyphened();

    [GeneratedRegex(@"new Finding\(\s*""([a-z]+)""")]
    private static partial Regex Single();

    [GeneratedRegex(@"(?:Says|Login)\(\s*""([a-z-]+)""|""(password)"" : ""(login)""")]
    private static partial Regex Said();
}
