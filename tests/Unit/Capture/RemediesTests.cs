using System.Text.RegularExpressions;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

/// <summary>
/// The tables are Odoo's. What is printed is obeyed: a column of another type breaks every read of its model (seen: a translated name as
/// text), and Odoo's next update changes it back.
/// </summary>
public sealed partial class RemediesTests
{
    [Fact]
    public void No_text_of_the_program_tells_to_change_a_table_of_the_source_but_for_its_replica_identity()
    {
        var root = SourceTree.PathOf("src");
        // These speak of the engine's tables.
        var wrong = Directory
            .EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(f => !Path.GetRelativePath(root, f).StartsWith("Engine", StringComparison.Ordinal))
            .SelectMany(f =>
                File.ReadLines(f)
                    .Where(l => Change().IsMatch(l) && !l.Contains("REPLICA IDENTITY", StringComparison.Ordinal))
                    .Select(l => $"{Path.GetFileName(f)}: {l.Trim()}")
            )
            .ToList();
        Assert.Empty(wrong);
    }

    [GeneratedRegex("ALTER TABLE|ALTER COLUMN|ADD COLUMN|SET LOGGED|ADD PRIMARY KEY")]
    private static partial Regex Change();
}
