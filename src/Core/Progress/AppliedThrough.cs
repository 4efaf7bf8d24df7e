using System.Globalization;
using Cdc.Core.Changes;

namespace Cdc.Core.Progress;

/// <summary>
/// How far an engine is: in this generation, all commits that start below this LSN are applied. Written <c>generation:lsn</c>, such as
/// <c>1:16/B374D848</c>.
/// </summary>
public readonly record struct AppliedThrough(int Generation, Lsn Lsn)
{
    /// <summary>
    /// What a reader asks for: <c>generation:lsn</c> (or only the LSN: of the generation there is) with an LSN of the source's WAL taken
    /// after a commit, or a row's position <c>generation:lsn:ordinal</c>, which is reached when its commit is applied.
    /// </summary>
    public static bool TryParse(string text, int generation, out AppliedThrough through)
    {
        through = default;
        var parts = text.Split(':');
        if (parts.Length > 3 || !Lsn.TryParse(parts[parts.Length == 1 ? 0 : 1], out var lsn))
            return false;
        if (parts.Length > 1 && !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out generation))
            return false;
        if (parts.Length == 3)
        {
            if (!long.TryParse(parts[2], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) || lsn.Value == ulong.MaxValue)
                return false;
            // A position names where its commit starts; through is reached only above that.
            lsn = new Lsn(lsn.Value + 1);
        }
        through = new AppliedThrough(generation, lsn);
        return true;
    }

    public override string ToString() => $"{Generation}:{Lsn}";
}
