using System.Text.RegularExpressions;
using Cdc.Engine.Tables;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit;

/// <summary>The tables by which the processes meet have one owner: src/Engine.</summary>
public sealed partial class SharedTablesTests
{
    /// <summary>Tables of a project of their own, which the Api may read too. Any other that a migration makes is shared.</summary>
    private static readonly Dictionary<string, string[]> OfOneProject = new()
    {
        ["Api"] = ["api_keys", "applied_days", "feature_flag_changes", "feature_flags"],
        ["Cutover"] = ["cutover_approvals", "cutover_changes", "cutover_plans", "cutover_scopes", "cutover_shadow", "routes"],
        ["Log"] = ["schema_compatibility", "schema_versions", "schemas"],
        ["Reconcile"] =
        [
            "alert_changes",
            "alerts",
            "drift",
            "reconcile_partitions",
            "reconcile_repairs",
            "reconcile_runs",
            "reconcile_samples",
            "reconcile_spot_checks",
            "reconcile_standing",
            "reconcile_totals",
            "reconcile_violations",
        ],
        ["Reverse"] = ["reverse_workers"],
    };

    private static readonly string Migrations = string.Concat(
        Directory.GetFiles(SourceTree.PathOf("schemas/engine"), "*.up.sql").Order(StringComparer.Ordinal).Select(File.ReadAllText)
    );

    private static readonly List<string> Made =
    [
        .. Create().Matches(Migrations).Select(m => m.Groups[1].Value).Order(StringComparer.Ordinal),
    ];

    [Fact]
    public void Only_the_engines_project_names_a_shared_table()
    {
        var shared = Made.Except(OfOneProject.Values.SelectMany(t => t)).ToList();
        Assert.True(shared.Count > 10, $"Only {shared.Count} tables are shared.");
        var files = SourceTree.Files("src", "*.cs").ToList();
        Assert.True(files.Count > 300, $"Only {files.Count} files under src.");
        // Names of metrics have more parts.
        var named = new Regex($@"\bcdc\.({string.Join('|', shared)})\b(?!\.[a-z])");
        var wrong = files
            .Where(f => !IsUnder(f, "src/Engine"))
            .SelectMany(f => named.Matches(File.ReadAllText(f)).Select(m => $"{Path.GetRelativePath(SourceTree.Root, f)}: {m.Value}"))
            .ToList();
        Assert.True(wrong.Count == 0, "Move these to src/Engine/Tables:\n" + string.Join('\n', wrong));
    }

    [Fact]
    public void Tables_of_one_project_are_made_by_a_migration() => Assert.Empty(OfOneProject.Values.SelectMany(t => t).Except(Made));

    [Fact]
    public void Every_table_of_the_engine_is_documented_and_every_documented_one_is_made()
    {
        var documented = File.ReadLines(SourceTree.PathOf("docs/engine-schema.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Named().Matches(line.Split('|')[1]).Select(m => m.Groups[1].Value));
        Assert.Equal(Made, documented.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_one_file_numbers_advisory_locks()
    {
        var wrong = SourceTree
            .Files("src", "*.cs")
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
        var create = Migrations[Migrations.IndexOf($"CREATE TABLE cdc.{table} (", StringComparison.Ordinal)..];
        // A later migration may have changed them.
        var changed = Regex.Matches(Migrations, $@"CONSTRAINT {table}_state_check CHECK \(state IN \(([^)]*)\)\)").LastOrDefault();
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

    private static bool IsUnder(string file, string folder) =>
        file.StartsWith(SourceTree.PathOf(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    [GeneratedRegex(@"CREATE (?:TABLE|VIEW) cdc\.(\w+)")]
    private static partial Regex Create();

    [GeneratedRegex(@"`cdc\.(\w+)`")]
    private static partial Regex Named();

    [GeneratedRegex(@"0x0CDC_|advisory_(xact_)?lock(_shared)?\([0-9]")]
    private static partial Regex LockNumber();

    [GeneratedRegex(@"state\s+text NOT NULL CHECK \(state IN \(([^)]*)\)\)")]
    private static partial Regex StateCheck();
}
