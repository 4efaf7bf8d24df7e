using System.Text.RegularExpressions;
using Cdc.Engine.Tables;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit;

/// <summary>The tables by which the processes meet have one owner: src/Engine.</summary>
public sealed partial class SharedTablesTests
{
    [Fact]
    public void Only_the_engines_project_names_a_shared_table()
    {
        var root = SourceTree.PathOf("src");
        var files = Sources(root).ToList();
        Assert.True(files.Count > 300, $"Only {files.Count} files under src.");
        var wrong = files
            .Where(f => !IsUnder(f, "src/Engine"))
            .SelectMany(f => SharedTable().Matches(File.ReadAllText(f)).Select(m => $"{Path.GetRelativePath(root, f)}: {m.Value}"))
            .ToList();
        Assert.True(wrong.Count == 0, "Move these to src/Engine/Tables:\n" + string.Join('\n', wrong));
    }

    [Fact]
    public void Only_one_file_numbers_advisory_locks()
    {
        var wrong = Sources(SourceTree.PathOf("src"))
            .Where(f => Path.GetFileName(f) != "AdvisoryLocks.cs" && LockNumber().IsMatch(File.ReadAllText(f)));
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("source", typeof(SourceState))]
    [InlineData("tables", typeof(TableState))]
    [InlineData("chunks", typeof(ChunkState))]
    [InlineData("fences", typeof(FenceState))]
    [InlineData("requests", typeof(RequestState))]
    public void States_are_those_that_the_table_allows(string table, Type states)
    {
        var migrations = string.Concat(
            Directory.GetFiles(SourceTree.PathOf("schemas/engine"), "*.up.sql").Order(StringComparer.Ordinal).Select(File.ReadAllText)
        );
        var create = migrations[migrations.IndexOf($"CREATE TABLE cdc.{table} (", StringComparison.Ordinal)..];
        // A later migration may have changed them.
        var changed = Regex.Matches(migrations, $@"CONSTRAINT {table}_state_check CHECK \(state IN \(([^)]*)\)\)").LastOrDefault();
        var allowed = (changed ?? StateCheck().Match(create)).Groups[1].Value;
        Assert.Equal(allowed, string.Join(", ", Enum.GetNames(states).Select(n => $"'{n.ToLowerInvariant()}'")));
    }

    [Fact]
    public void A_state_is_read_as_it_is_written()
    {
        Assert.Equal("creating", SourceState.Creating.Word());
        Assert.Equal(FenceState.Announced, States.Of<FenceState>("announced"));
        Assert.Throws<ArgumentException>(() => States.Of<ChunkState>("unheard-of"));
    }

    private static IEnumerable<string> Sources(string root) =>
        Directory
            .EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    private static bool IsUnder(string file, string folder) =>
        file.StartsWith(SourceTree.PathOf(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>Names of metrics have more parts.</summary>
    [GeneratedRegex(
        @"\bcdc\.(source|checkpoints|tables|chunks|fences|quarantine|rereads|requests|floors|log_throughs|held_deletes|owed_deletes)\b(?!\.[a-z])"
    )]
    private static partial Regex SharedTable();

    [GeneratedRegex(@"0x0CDC_|advisory_(xact_)?lock(_shared)?\([0-9]")]
    private static partial Regex LockNumber();

    [GeneratedRegex(@"state\s+text NOT NULL CHECK \(state IN \(([^)]*)\)\)")]
    private static partial Regex StateCheck();
}
