namespace Cdc.Host.Configuration;

/// <summary>Finds what somebody meant to type.</summary>
internal static class NearestName
{
    /// <summary>The candidate with the fewest edits, if it is near enough to be a typing error; otherwise null.</summary>
    public static string? Of(string typed, IEnumerable<string> candidates) =>
        candidates.Select(name => (Name: name, Edits: Edits(typed.ToLowerInvariant(), name.ToLowerInvariant())))
            .Where(c => c.Edits <= Math.Max(2, c.Name.Length / 3))
            .OrderBy(c => c.Edits).ThenBy(c => c.Name, StringComparer.Ordinal)
            .Select(c => c.Name)
            .FirstOrDefault();

    private static int Edits(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }
}
