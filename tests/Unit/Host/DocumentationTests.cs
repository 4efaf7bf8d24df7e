using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Host;
using Cdc.Host.Terminals;
using Xunit;

namespace Cdc.Tests.Unit.Host;

/// <summary>docs/commands.md is a promise: what it must name is read from the program.</summary>
public sealed class DocumentationTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Root(), "docs", "commands.md"));

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
    public void Every_kind_of_gap_is_documented() =>
        Assert.All(
            typeof(GapKinds).GetFields(),
            kind => Assert.Contains($"`{kind.GetRawConstantValue()}`", Text, StringComparison.Ordinal)
        );

    [Fact]
    public void Every_decision_is_in_their_index_by_its_title()
    {
        var folder = Path.Combine(Root(), "docs", "decisions");
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
            File.ReadAllText(Path.Combine(Root(), "ops", "systemd", "cdc.service")),
            StringComparison.Ordinal
        );
    }

    private static IEnumerable<(string Path, Command Command)> Walk(string path, Command command) =>
        command.Subcommands.SelectMany(child => Walk($"{path} {child.Name}", child)).Prepend((path, command));

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Cdc.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Cdc.sln");
        return folder;
    }
}
