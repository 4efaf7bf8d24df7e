using Cdc.Core.Failures;

namespace Cdc.Host.Terminals;

/// <summary>What a check found, for people: errors first, each with its remedy, then a summary line.</summary>
internal static class FindingList
{
    public static void Write(TextWriter writer, IReadOnlyList<Finding> findings)
    {
        foreach (var finding in findings.OrderByDescending(f => f.IsError))
        {
            writer.WriteLine($"{(finding.IsError ? "error" : "warning")} {finding.Code}: {finding.Message}");
            writer.WriteLine($"  -> {finding.Remedy}");
        }
        var errors = findings.Count(f => f.IsError);
        writer.WriteLine(errors == 0 ? $"ready ({findings.Count} warning(s))" : $"{errors} error(s), {findings.Count - errors} warning(s)");
    }
}
