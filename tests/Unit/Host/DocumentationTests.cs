using System.CommandLine;
using System.Text.RegularExpressions;
using Cdc.Core.Failures;
using Cdc.Host;
using Cdc.Host.Terminals;
using Xunit;

namespace Cdc.Tests.Unit.Host;

/// <summary>docs/commands.md is a promise: what it must name is read from the program.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string Text = File.ReadAllText(SourceTree.PathOf("docs/commands.md"));

    [Fact]
    public void Every_exit_code_is_documented() =>
        Assert.All(Enum.GetValues<FailureKind>(), kind => Assert.Contains($"| {(int)kind} | {kind} |", Text, StringComparison.Ordinal));

    [Fact]
    public void Every_option_of_the_configuration_is_documented() =>
        Assert.All(ConfigurationTests.OptionPaths(), option => Assert.Contains($"| `{option.Path}` |", Text, StringComparison.Ordinal));

    [Fact]
    public void Every_command_and_every_option_of_it_is_documented()
    {
        var host = new CommandHost(CommandRun.NoParts, Terminal.OfProcess(), new Dictionary<string, string>(), TimeProvider.System);
        foreach (var (path, command) in Walk("cdc", CommandLine.Root(host)))
        {
            if (command.Subcommands.Count == 0)
                Assert.Contains($"`{path}", Text, StringComparison.Ordinal);
            Assert.All(
                command.Options.Where(o => o.Name != "--version"),
                option => Assert.Contains(option.Name, Text, StringComparison.Ordinal)
            );
        }
    }

    [Fact]
    public void Every_kind_of_gap_is_documented_and_every_documented_one_exists()
    {
        var table = Text[Text.IndexOf("| kind | what is broken |", StringComparison.Ordinal)..];
        var documented = table
            .Split('\n')
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .SelectMany(line => Word().Matches(line.Split('|')[1]).Select(w => w.Groups[1].Value));
        Assert.Equal(typeof(GapKinds).GetFields().Select(k => (string)k.GetRawConstantValue()!).Order(), documented.Order());
    }

    [Fact]
    public void Every_kind_of_gap_is_declared_by_the_name_that_is_documented()
    {
        var sources = SourceTree.Files("src", "*.cs").Select(File.ReadAllText).ToList();
        Assert.All(
            typeof(GapKinds).GetFields(),
            kind => Assert.Contains(sources, s => s.Contains($"{nameof(GapKinds)}.{kind.Name}", StringComparison.Ordinal))
        );
        Assert.DoesNotContain(sources, s => GapByText().IsMatch(s));
    }

    [Fact]
    public void Every_kind_of_gap_is_in_the_runbook()
    {
        var runbook = File.ReadAllText(SourceTree.PathOf("ops/runbooks/slot-reset.md"));
        Assert.All(typeof(GapKinds).GetFields(), k => Assert.Contains($"`{k.GetRawConstantValue()}`", runbook, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_decision_is_in_their_index_by_its_title()
    {
        var folder = SourceTree.PathOf("docs/decisions");
        var index = File.ReadAllText(Path.Combine(folder, "README.md"));
        var decisions = Directory.GetFiles(folder, "0*.md");
        Assert.NotEmpty(decisions);
        Assert.All(
            decisions,
            file =>
            {
                var (number, title) = File.ReadLines(file).First().Split(": ", 2) is [var heading, var rest]
                    ? (heading[2..], rest)
                    : default;
                Assert.Contains($"| [{number}]({Path.GetFileName(file)}) | {title} |", index, StringComparison.Ordinal);
            }
        );
    }

    [Fact]
    public void The_service_is_not_restarted_after_an_exit_code_that_needs_a_person()
    {
        FailureKind[] needAPerson =
        [
            FailureKind.Usage,
            FailureKind.Configuration,
            FailureKind.Preflight,
            FailureKind.DeclaredGap,
            FailureKind.Migration,
        ];
        Assert.Contains(
            $"RestartPreventExitStatus={string.Join(' ', needAPerson.Select(k => (int)k))}\n",
            File.ReadAllText(SourceTree.PathOf("ops/systemd/cdc.service")),
            StringComparison.Ordinal
        );
    }

    private static IEnumerable<(string Path, Command Command)> Walk(string path, Command command) =>
        command.Subcommands.SelectMany(child => Walk($"{path} {child.Name}", child)).Prepend((path, command));

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Word();

    [GeneratedRegex(@"DeclaredGapException\(\s*""")]
    private static partial Regex GapByText();
}
