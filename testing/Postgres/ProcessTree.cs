using System.Globalization;

namespace Cdc.Testing.Postgres;

/// <summary>Processes as /proc shows them.</summary>
internal static class ProcessTree
{
    /// <summary>Direct children: a postmaster's are all of its server processes.</summary>
    public static IReadOnlyList<int> ChildrenOf(int pid) =>
        [
            .. Directory
                .GetDirectories("/proc")
                .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) ? id : 0)
                .Where(id => id > 0 && Stat(id) is { } stat && stat.Parent == pid),
        ];

    /// <summary>A zombie holds no memory and no socket: it does not live.</summary>
    public static bool IsAlive(int pid) => Stat(pid) is { State: not ('Z' or 'X') };

    private static (char State, int Parent)? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            // The second field is the program's name in parentheses, and may itself hold blanks and parentheses.
            var rest = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (rest[0][0], int.Parse(rest[1], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
