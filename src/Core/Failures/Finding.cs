using System.Text.Json.Serialization;

namespace Cdc.Core.Failures;

/// <summary>One thing that a check found.</summary>
/// <param name="Code">A stable word, such as <c>wal-level</c>.</param>
/// <param name="IsError">False: a warning, the pipeline may start.</param>
/// <param name="Message">What is wrong, on which object.</param>
/// <param name="Remedy">SQL or a command that fixes it.</param>
public sealed record Finding(string Code, bool IsError, string Message, string Remedy)
{
    /// <summary>What an error means for the operator.</summary>
    [JsonIgnore]
    public FailureKind Kind { get; init; } = FailureKind.Preflight;

    /// <summary>The source table that alone it concerns; null: more than one.</summary>
    [JsonIgnore]
    public string? Table { get; init; }

    /// <summary>
    /// What the errors among them mean together: the kind of all of them, or <see cref="FailureKind.Preflight"/> where they differ.
    /// </summary>
    public static FailureKind KindOf(IEnumerable<Finding> findings) =>
        findings.Where(f => f.IsError).Select(f => f.Kind).Distinct().ToList() is [var only] ? only : FailureKind.Preflight;
}

/// <summary>A check found errors; all of them are here.</summary>
public sealed class FindingsException(FailureKind kind, string title, IReadOnlyList<Finding> findings)
    : CdcException(kind, title + Environment.NewLine + Text(findings), "Fix what is listed above, then run 'cdc check'.")
{
    public IReadOnlyList<Finding> Findings { get; } = findings;

    private static string Text(IReadOnlyList<Finding> findings) =>
        string.Join(
            Environment.NewLine,
            findings.Select(f => $"  {(f.IsError ? "error" : "warning")} {f.Code}: {f.Message}{Environment.NewLine}    -> {f.Remedy}")
        );
}
