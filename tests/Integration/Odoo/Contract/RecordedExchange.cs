using System.Globalization;
using System.Text.RegularExpressions;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>A request that was sent to a real Odoo, and what it answered: files of Contract/Recorded.</summary>
internal sealed partial record RecordedExchange(string Title, string Method, string Path, string Body, int Status, string Answer)
{
    /// <summary>By title.</summary>
    public static IReadOnlyDictionary<string, RecordedExchange> Read(string name) =>
        File.ReadAllText(SourceTree.PathOf($"tests/Integration/Odoo/Contract/Recorded/{name}.md"))
            .Split("\n### ")
            .Skip(1)
            .Select(Parse)
            .ToDictionary(e => e.Title);

    private static RecordedExchange Parse(string section)
    {
        var fences = Fence().Matches(section).Select(m => m.Groups[1].Value).ToList();
        var target = Target().Match(section);
        var status = Code().Match(section);
        return new RecordedExchange(
            section.Split('\n')[0],
            target.Groups[1].Value,
            target.Groups[2].Value,
            fences[0].IndexOf('{', StringComparison.Ordinal) is >= 0 and var at ? fences[0][at..].Trim() : "",
            int.Parse(status.Groups[1].Value, CultureInfo.InvariantCulture),
            fences[1].Trim()
        );
    }

    [GeneratedRegex("```\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\b(GET|POST) (/\S*?)`?\s")]
    private static partial Regex Target();

    [GeneratedRegex(@"\*\*(\d{3})\*\*")]
    private static partial Regex Code();
}
