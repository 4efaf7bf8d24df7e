using System.Globalization;

namespace Cdc.Capture.Source;

/// <summary>Which transactions a snapshot sees, as pg_current_snapshot() says it: 64-bit ids, <c>xmin:xmax:running,running…</c>.</summary>
internal sealed class SourceSnapshot
{
    private readonly HashSet<ulong> _running;

    private SourceSnapshot(ulong xmin, ulong xmax, HashSet<ulong> running) => (Xmin, Xmax, _running) = (xmin, xmax, running);

    /// <summary>Every transaction below has ended.</summary>
    public ulong Xmin { get; }

    /// <summary>Above every transaction that had ended. Those at or above it had not, whether they had begun to write or not.</summary>
    public ulong Xmax { get; }

    /// <summary>Top-level transactions between the two that had not ended; prepared ones are among them.</summary>
    public IReadOnlySet<ulong> Running => _running;

    /// <summary>True if the transaction had ended. Only right for top-level ids that did commit, as the stream's are.</summary>
    public bool Sees(ulong xid) => xid < Xmin || (xid < Xmax && !_running.Contains(xid));

    /// <exception cref="FormatException">Not a pg_snapshot.</exception>
    public static SourceSnapshot Parse(string text)
    {
        var parts = text.Split(':');
        if (parts.Length != 3)
            throw new FormatException($"'{text}' is not a pg_snapshot.");
        var running = parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Xid).ToHashSet();
        return new SourceSnapshot(Xid(parts[0]), Xid(parts[1]), running);
    }

    private static ulong Xid(string text) => ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
