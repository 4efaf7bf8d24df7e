using System.Globalization;
using System.Text;
using Cdc.Core.Changes;

namespace Cdc.Capture.Stream;

/// <summary>
/// The history file of a timeline: a line for each timeline before it, with its number, the LSN at which it was left, and why, parted by tabs.
/// </summary>
internal static class TimelineHistory
{
    public static Lsn? SwitchPoint(ReadOnlySpan<byte> content, int followed)
    {
        foreach (var line in Encoding.UTF8.GetString(content).Split('\n', StringSplitOptions.TrimEntries))
        {
            var parts = line.Split('\t', 3);
            if (parts.Length >= 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var timeline) && timeline == followed)
                return Lsn.Parse(parts[1]);
        }
        return null;
    }
}
