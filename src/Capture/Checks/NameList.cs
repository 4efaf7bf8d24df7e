using System.Text;

namespace Cdc.Capture.Checks;

/// <summary>Names in a setting of the server, with commas between them; those in double quotes may hold anything.</summary>
internal static class NameList
{
    public static IReadOnlyList<string> Parse(string setting)
    {
        List<string> names = [];
        var name = new StringBuilder();
        var (inQuotes, wasQuoted) = (false, false);
        foreach (var c in setting)
            if (c == '"')
            {
                // Two of them in a row stand for one.
                if (wasQuoted && !inQuotes && name.Length > 0)
                    name.Append('"');
                (inQuotes, wasQuoted) = (!inQuotes, true);
            }
            else if (c == ',' && !inQuotes)
                End();
            else if (inQuotes || !char.IsWhiteSpace(c))
                name.Append(c);
        End();
        return names;

        void End()
        {
            if (name.Length > 0)
                names.Add(name.ToString());
            name.Clear();
            wasQuoted = false;
        }
    }
}
