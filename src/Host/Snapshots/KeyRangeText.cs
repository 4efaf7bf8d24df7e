using Cdc.Core.Entities;
using Cdc.Core.Snapshots;

namespace Cdc.Host.Snapshots;

/// <summary>Reads <c>A..B</c>, <c>A..</c> and <c>..B</c>: from A up to, but without, B. Of a key of two columns A is such as <c>6,1</c>.</summary>
internal static class KeyRangeText
{
    /// <summary>A range is of keys of one column, or of two.</summary>
    public static bool IsOf(KeyRange range, EntityDeclaration entity) =>
        new[] { range.From, range.To }.All(end => end is null || IsOf(end.Value, entity.SourceKey));

    private static bool IsOf(long end, SourceKey key) => KeyPair.Is(end) == key.IsPair && KeyHash.Is(end) == key.IsHashed;

    /// <summary>What to write instead.</summary>
    /// <param name="option">Such as <c>--keys</c>.</param>
    public static string Remedy(EntityDeclaration entity, string option) =>
        entity.SourceKey.IsHashed
            ? $"Its keys have no order: leave {option} out, or write ends as they are shown: {option} hash:0800000000000000.."
        : entity.SourceKey.IsPair ? $"Write both columns: {option} 6,1..7,0"
        : $"Write one number: {option} 5000..";

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
