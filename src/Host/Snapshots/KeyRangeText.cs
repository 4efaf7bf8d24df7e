using Cdc.Core.Entities;
using Cdc.Core.Snapshots;

namespace Cdc.Host.Snapshots;

/// <summary>Reads <c>A..B</c>, <c>A..</c> and <c>..B</c>: from A up to, but without, B. Of a key of two columns A is such as <c>6,1</c>.</summary>
internal static class KeyRangeText
{
    /// <summary>A range is of keys of one column, or of two.</summary>
    public static bool IsOf(KeyRange range, EntityDeclaration entity) =>
        new[] { range.From, range.To }.All(end => end is null || KeyPair.Is(end.Value) == entity.SourceKey.IsPair);

    public static KeyRange? TryParse(string text)
    {
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0 || !TryEnd(text[..dots], out var from) || !TryEnd(text[(dots + 2)..], out var to))
            return null;
        return from is null && to is null || from >= to ? null : new KeyRange(from, to);
    }

    private static bool TryEnd(string text, out long? end)
    {
        end = KeyText.Parse(text);
        return end is not null || text.Length == 0;
    }
}
