using System.Globalization;
using System.Text;

namespace Cdc.Core.Progress;

/// <summary>
/// What an engine transaction announces by NOTIFY: which rows of an entity it touched, as <c>key:hash</c> pairs parted by commas, or
/// <c>*</c> for any row. The hash is of the value by which rows are looked up, so that a cache with an answer for another row with that
/// value drops it too; it is left out where that value did not change or the row is gone.
/// </summary>
public static class ChangeNotice
{
    public const string Everything = "*";

    /// <summary>PostgreSQL's limit is 7,999 bytes.</summary>
    public const int MaxLength = 7_900;

    public static string Channel(string entity) => "cdc_" + entity;

    public static void Append(StringBuilder notice, long key, uint? hash)
    {
        if (notice.Length > 0)
            notice.Append(',');
        notice.Append(CultureInfo.InvariantCulture, $"{key}");
        if (hash is { } value)
            notice.Append(CultureInfo.InvariantCulture, $":{value:x}");
    }

    /// <returns>Null: any row may have been touched.</returns>
    public static IReadOnlyList<(long Key, uint? Hash)>? Parse(string notice)
    {
        var rows = new List<(long, uint?)>();
        foreach (var range in notice.AsSpan().Split(','))
        {
            var part = notice.AsSpan(range);
            var colon = part.IndexOf(':');
            uint hash = 0;
            if (
                !long.TryParse(colon < 0 ? part : part[..colon], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var key)
                || (
                    colon >= 0
                    && !uint.TryParse(part[(colon + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out hash)
                )
            )
                return null;
            rows.Add((key, colon < 0 ? null : hash));
        }
        return rows;
    }

    /// <summary>FNV-1a, 32 bits, of the value as UTF-8.</summary>
    public static uint Hash(ReadOnlySpan<byte> value)
    {
        var hash = 2_166_136_261;
        foreach (var b in value)
            hash = (hash ^ b) * 16_777_619;
        return hash;
    }
}
