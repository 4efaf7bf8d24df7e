using System.Text.RegularExpressions;

namespace Cdc.Tests.Integration.OnCall;

/// <param name="Section">Heading that it stands below.</param>
/// <param name="Language"><c>sh</c> or <c>sql</c>.</param>
internal sealed record RunbookBlock(string Section, string Language, string Text);

/// <summary>A file of ops/runbooks: its commands, in order.</summary>
internal sealed partial class Runbook
{
    private Runbook(IReadOnlyList<RunbookBlock> blocks) => Blocks = blocks;

    public IReadOnlyList<RunbookBlock> Blocks { get; }

    /// <param name="path">Such as <c>ops/runbooks/lag.md</c>.</param>
    public static async Task<Runbook> OpenAsync(string path, CancellationToken ct)
    {
        var text = await File.ReadAllTextAsync(SourceTree.PathOf(path), ct);
        var headings = Heading().Matches(text);
        return new Runbook([
            .. Block()
                .Matches(text)
                .Select(b => new RunbookBlock(
                    headings.LastOrDefault(h => h.Index < b.Index)?.Groups[1].Value ?? "",
                    b.Groups[1].Value,
                    b.Groups[2].Value.Trim()
                )),
        ]);
    }

    [GeneratedRegex("^## (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("^```(sh|sql)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
