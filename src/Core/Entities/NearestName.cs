namespace Cdc.Core.Entities;

/// <summary>"Did you mean": the known name with the fewest edits, if it is near enough to be a slip.</summary>
public static class NearestName
{
    /// <summary>Null if none is near enough. Upper and lower case are the same.</summary>
    public static string? Of(string typed, IEnumerable<string> known) =>
        known
            .Select(name => (Name: name, Edits: Edits(typed, name), Shorter: Math.Min(typed.Length, name.Length)))
            .Where(c => c.Edits < c.Shorter && c.Edits <= (c.Shorter + 2) / 3)
            .OrderBy(c => c.Edits)
            .Select(c => c.Name)
            .FirstOrDefault();

    /// <param name="introduction">Stands before the list of names, such as "Use one of".</param>
    public static string Remedy(string typed, IEnumerable<string> known, string introduction)
    {
        var names = known.ToList();
        var all = $"{introduction}: {string.Join(", ", names)}.";
        return Of(typed, names) is { } nearest ? $"Did you mean \"{nearest}\"? {all}" : all;
    }

    private static int Edits(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
