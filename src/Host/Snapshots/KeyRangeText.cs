using System.Globalization;
using Cdc.Core.Snapshots;

namespace Cdc.Host.Snapshots;

/// <summary>Reads <c>A..B</c>, <c>A..</c> and <c>..B</c>: from A up to, but without, B.</summary>
internal static class KeyRangeText
{
    public static KeyRange? TryParse(string text)
    {
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0 || !TryEnd(text[..dots], out var from) || !TryEnd(text[(dots + 2)..], out var to))
            return null;
        return from is null && to is null || from >= to ? null : new KeyRange(from, to);
    }

    private static bool TryEnd(string text, out long? end)
    {
        end = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key) ? key : null;
        return end is not null || text.Length == 0;
    }
}
