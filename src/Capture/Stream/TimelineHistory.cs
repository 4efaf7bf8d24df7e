using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Cdc.Core.Changes;
using Npgsql.Replication;

namespace Cdc.Capture.Stream;

/// <summary>
/// The history file of a timeline: a line for each timeline before it, with its number, the LSN at which it was left, and why, parted by
/// tabs.
/// </summary>
internal static class TimelineHistory
{
    public static async Task<string> ReadAsync(ReplicationConnection connection, int timeline, CancellationToken ct)
    {
        var row = await ReadSingleRow(connection, $"TIMELINE_HISTORY {timeline}", ct);
        return row[1] is byte[] bytes ? Encoding.UTF8.GetString(bytes) : (string)row[1];
    }

    /// <returns>Where <paramref name="timeline"/> was left; null if the history does not go through it.</returns>
    public static Lsn? SwitchPoint(string content, int timeline)
    {
        foreach (var line in content.Split('\n', StringSplitOptions.TrimEntries))
        {
            var parts = line.Split('\t', 3);
            if (
                parts.Length >= 2
                && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var left)
                && left == timeline
            )
                return Lsn.Parse(parts[1]);
        }
        return null;
    }

    /// <summary>
    /// Npgsql's own TimelineHistory casts the content to bytes; from PostgreSQL 15 on the server calls it text, and the cast fails. It has
    /// no other public way to send a replication command, and no SQL function returns the switch point.
    /// </summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern Task<object[]> ReadSingleRow(ReplicationConnection connection, string command, CancellationToken ct);
}
