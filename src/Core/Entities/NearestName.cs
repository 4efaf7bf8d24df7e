namespace Cdc.Core.Entities;

/// <summary>"Did you mean": the known name with the fewest edits, if it is near enough to be a slip.</summary>
internal static class NearestName
{
    /// <param name="introduction">Stands before the list of names, such as "Use one of".</param>
    public static string Remedy(string name, IEnumerable<string> known, string introduction)
    {
        var names = known.ToList();
        var all = $"{introduction}: {string.Join(", ", names)}.";
        return Find(name, names) is { } nearest ? $"Did you mean \"{nearest}\"? {all}" : all;
    }

    private static string? Find(string name, IReadOnlyList<string> known) =>
        known.Select(k => (Name: k, Edits: Edits(name, k))).Where(k => k.Edits < Math.Min(name.Length, k.Name.Length) && k.Edits <= (Math.Min(name.Length, k.Name.Length) + 2) / 3)
            .OrderBy(k => k.Edits).Select(k => k.Name).FirstOrDefault();

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
