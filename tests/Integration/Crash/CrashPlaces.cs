using System.Text.RegularExpressions;
using Cdc.Tests.Support;

namespace Cdc.Tests.Integration.Crash;

/// <summary>Every named place in the sources where a process can be told to kill itself.</summary>
internal static partial class CrashPlaces
{
    /// <summary>As they are in src now, so that a new one cannot be forgotten.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. Directory.EnumerateFiles(SourceTree.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(f => Place().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .Distinct().Order(StringComparer.Ordinal),
    ];

    [GeneratedRegex("""CrashPoint\.Hit\("([^"]+)"\)""")]
    private static partial Regex Place();
}
