using System.Text.Json;

namespace Cdc.Cutover.Plans;

/// <param name="Path">Such as <c>steps.canary.percentage</c>.</param>
/// <param name="Running">Null: it is not there.</param>
public sealed record PlanDifference(string Path, string? Running, string? File);

/// <summary>Where a file differs from the plan that runs, value by value.</summary>
public static class PlanDiff
{
    public static IReadOnlyList<PlanDifference> Of(CutoverPlan running, CutoverPlan file)
    {
        var (before, after) = (Values(running), Values(file));
        return
        [
            .. before
                .Keys.Union(after.Keys)
                .Select(path => new PlanDifference(path, before.GetValueOrDefault(path), after.GetValueOrDefault(path)))
                .Where(d => d.Running != d.File),
        ];
    }

    private static Dictionary<string, string> Values(CutoverPlan plan)
    {
        var values = new Dictionary<string, string>();
        Add(values, "", JsonDocument.Parse(PlanFile.Text(plan)).RootElement);
        return values;
    }

    private static void Add(Dictionary<string, string> values, string path, JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object)
            foreach (var part in element.EnumerateObject())
                Add(values, path.Length == 0 ? part.Name : $"{path}.{part.Name}", part.Value);
        else if (element.ValueKind == JsonValueKind.Array && element.EnumerateArray().Any(e => e.ValueKind == JsonValueKind.Object))
            // By their names: a step that is put in front changes no other.
            foreach (var part in element.EnumerateArray())
                Add(values, $"{path}.{part.GetProperty("name").GetString()}", part);
        else
            values[path] = element.GetRawText();
    }
}
