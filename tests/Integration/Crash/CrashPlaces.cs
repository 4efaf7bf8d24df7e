using System.Text.RegularExpressions;
using Cdc.Tests.Support;

namespace Cdc.Tests.Integration.Crash;

/// <summary>Every named place in the sources where <c>cdc run</c> can be made to kill itself.</summary>
internal static partial class CrashPlaces
{
    /// <summary>In files that both logs share, where only the one over Kafka comes by: <c>OwedDeletesTests</c> kills there.</summary>
    private static readonly string[] OverKafka = ["after-owed-ends"];

    /// <summary>As they are in src now, so that a new one cannot be forgotten.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        .. Directory
            .EnumerateFiles(SourceTree.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !IsBelow(f, "obj") && !IsBelow(f, "Reconcile") && !IsBelow(f, "Kafka") && !IsBelow(f, "Reverse"))
            .SelectMany(f => Place().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .Distinct()
            .Except(OverKafka)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Reconcile, the way back and the log over Kafka have places where the in-process pipeline never comes by; tests of their own kill there.</summary>
    private static bool IsBelow(string file, string folder) =>
        file.Contains($"{Path.DirectorySeparatorChar}{folder}{Path.DirectorySeparatorChar}", StringComparison.Ordinal);

    [GeneratedRegex("""CrashPoint\.Hit\("([^"]+)"\)""")]
    private static partial Regex Place();
}
