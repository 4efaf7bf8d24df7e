using System.Text.RegularExpressions;
using Cdc.Tests.Unit.Host;
using Xunit;

namespace Cdc.Tests.Unit;

/// <summary>
/// What the documents name in backticks exists: a class that was renamed, a file that was moved, a setting or a variable that is gone would
/// otherwise stay in them for ever.
/// </summary>
public sealed partial class DocumentedNamesTests
{
    /// <summary>Of other programs, or gone, as the text says.</summary>
    private static readonly string[] NotOurs = ["GenericAvroSerde", "LongSerializer", "OverflowError", "WholeSince"];

    /// <summary>Made of parts in the code; or a reader's own.</summary>
    private static readonly string[] Composed = ["CDC_PG_BIN_17", "CDC_PG_BIN_18", "CDC_KEY"];

    private static readonly string[] Folders = ["src", "tests", "testing", "demo", "bench", "ops", "schemas", ".github", ".ci"];

    private static readonly Lazy<HashSet<string>> Known = new(ReadKnown);

    public static TheoryData<string> Documents() =>
        new(
            SourceTree
                .Files("docs", "*.md")
                .Concat(SourceTree.Files("ops", "*.md"))
                .Concat([SourceTree.PathOf("README.md"), SourceTree.PathOf("CONTRIBUTING.md")])
                .Select(f => Path.GetRelativePath(SourceTree.Root, f).Replace('\\', '/'))
                .Order(StringComparer.Ordinal)
        );

    [Theory]
    [MemberData(nameof(Documents))]
    public void Names_in_backticks_are_in_the_code(string document)
    {
        var spans = Spans(document).ToList();
        var names = spans.SelectMany(s => Name().Matches(s).Select(m => m.Value)).Except(NotOurs);
        var variables = spans.SelectMany(s => Variable().Matches(s).Select(m => m.Value)).Except(Composed);
        var unknown = names.Concat(variables).Where(n => !Known.Value.Contains(n)).ToList();
        Assert.Empty(unknown);
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Paths_in_backticks_are_there(string document)
    {
        var missing = Spans(document)
            .SelectMany(s => Location().Matches(s).Select(m => m.Value.TrimEnd('.', '/')))
            .Where(p => !p.Contains("/bin/", StringComparison.Ordinal) && !p.Contains("NNNN", StringComparison.Ordinal))
            .Where(p => !Path.Exists(SourceTree.PathOf(p)) && !Path.Exists(SourceTree.PathOf(p + ".cs")))
            .ToList();
        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Options_in_backticks_can_be_set(string document)
    {
        var options = ConfigurationTests.OptionPaths().Select(o => o.Path).ToHashSet();
        var sections = options.Select(o => o.Split(':')[0]).ToHashSet();
        var unknown = Spans(document)
            .SelectMany(s => Option().Matches(s).Select(m => m.Value))
            .Where(o => sections.Contains(o.Split(':')[0]) && !options.Contains(o))
            .ToList();
        Assert.Empty(unknown);
    }

    [Fact]
    public void Documents_are_found_and_name_things()
    {
        Assert.True(Documents().Count > 40, $"Only {Documents().Count} documents.");
        Assert.Contains("PgOutputMapper", Spans("docs/architecture.md").SelectMany(s => Name().Matches(s).Select(m => m.Value)));
        Assert.DoesNotContain("FollowedSourceTable", Known.Value);
    }

    /// <summary>Inline code; blocks are commands and examples.</summary>
    private static IEnumerable<string> Spans(string document) =>
        Span().Matches(Block().Replace(File.ReadAllText(SourceTree.PathOf(document)), "")).Select(m => m.Groups[1].Value);

    private static HashSet<string> ReadKnown()
    {
        HashSet<string> known = [];
        foreach (var file in Folders.SelectMany(f => SourceTree.Files(f, "*")).Append(SourceTree.PathOf("dev")).Where(IsCode))
        {
            known.Add(Path.GetFileName(file).Split('.')[0]);
            known.UnionWith(Word().Matches(File.ReadAllText(file)).Select(m => m.Value));
        }
        return known;
    }

    /// <summary>What this test itself names does not exist by that.</summary>
    private static bool IsCode(string file) =>
        Path.GetExtension(file) is not (".md" or ".png" or ".bin") && Path.GetFileName(file) != "DocumentedNamesTests.cs";

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Span();

    /// <summary>Two words or more: a single one may be anything.</summary>
    [GeneratedRegex(@"\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+\b")]
    private static partial Regex Name();

    [GeneratedRegex(@"\bCDC_[A-Z0-9]+(?:_[A-Z0-9]+)*\b")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\b[A-Z]\w+:[A-Z]\w+\b")]
    private static partial Regex Option();

    [GeneratedRegex(@"(?<![\w./])(?:src|tests|testing|docs|ops|schemas|bench|demo|findings)/(?>[\w./-]+)(?!\*)")]
    private static partial Regex Location();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
