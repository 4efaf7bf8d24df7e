using System.Globalization;
using System.Text.RegularExpressions;

namespace Cdc.Odoo.Calls;

/// <summary>Of the server, such as 19.0.</summary>
public readonly partial record struct OdooVersion(int Major, int Minor)
{
    /// <summary>From here on JSON-2, API keys in its header, and <c>group_ids</c> for what was called <c>groups_id</c>.</summary>
    public bool HasJson2 => Major >= 19;

    /// <summary>The table of a card's history: from 18 on.</summary>
    public bool HasHistory => Major >= 18;

    /// <summary>API keys may end by themselves.</summary>
    public bool HasKeyExpiry => Major >= 18;

    /// <summary>Until 19 a card's points are a column; then they are the sum of its history.</summary>
    public bool HasPointsColumn => Major < 20;

    /// <summary>The field of users and actions that holds their groups.</summary>
    public string GroupsField => Major >= 19 ? "group_ids" : "groups_id";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    /// <param name="text">As Odoo says it: <c>19.0</c>, <c>16.0-20260610</c>, <c>saas~18.4+e</c>.</param>
    public static OdooVersion? Parse(string? text) =>
        text is not null && Forms().Match(text) is { Success: true } m
            ? new OdooVersion(
                int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture),
                int.Parse(m.Groups[2].ValueSpan, CultureInfo.InvariantCulture)
            )
            : null;

    [GeneratedRegex(@"^(?:saas[~-])?([0-9]{1,3})\.([0-9]{1,3})")]
    private static partial Regex Forms();
}
