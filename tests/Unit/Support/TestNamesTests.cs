using System.Text.RegularExpressions;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Support;

/// <summary>A reader finds tests by their file's name, and <c>./dev test NAME</c> runs them by it: there is one form.</summary>
public sealed partial class TestNamesTests
{
    [Fact]
    public void A_file_with_tests_is_named_Tests_after_its_class()
    {
        var files = new[] { "tests/Unit", "tests/Integration" }
            .SelectMany(folder => Directory.EnumerateFiles(SourceTree.PathOf(folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(file => Attribute().IsMatch(File.ReadAllText(file)))
            .ToList();
        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.True(IsNamedAsItShould(file), file));
    }

    private static bool IsNamedAsItShould(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        return name.EndsWith("Tests", StringComparison.Ordinal)
            && Regex.IsMatch(File.ReadAllText(file), $@"^public sealed (partial )?class {name}\b", RegexOptions.Multiline);
    }

    [GeneratedRegex(@"^\s*\[\w*(Fact|Theory)\b", RegexOptions.Multiline)]
    private static partial Regex Attribute();
}
