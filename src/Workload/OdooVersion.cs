namespace Cdc.Workload;

/// <summary>Whose tables a test database has.</summary>
public enum OdooVersion
{
    /// <summary>Those of the delivered declaration: schemas/odoo.</summary>
    Delivered = 0,

    /// <summary>Odoo 16 with moves and a history with balances.</summary>
    Odoo16Points = 1,
    Odoo16 = 16,
    Odoo17 = 17,
    Odoo18 = 18,
    Odoo19 = 19,
    Odoo20 = 20,
}

public static class OdooVersions
{
    /// <summary>As people write it: <c>19</c>, <c>16-points</c>. Null: there is none.</summary>
    public static OdooVersion? Parse(string text) =>
        All.Where(v => v != OdooVersion.Delivered && Name(v) == text).Cast<OdooVersion?>().FirstOrDefault();

    public static IReadOnlyList<OdooVersion> All { get; } = Enum.GetValues<OdooVersion>();

    /// <summary>Without the preset's "odoo-".</summary>
    public static string Name(this OdooVersion version) =>
        version switch
        {
            OdooVersion.Delivered => "delivered",
            OdooVersion.Odoo16Points => "16-points",
            _ => ((int)version).ToString(System.Globalization.CultureInfo.InvariantCulture),
        };

    /// <summary>The preset that is made for it; null: the delivered declaration.</summary>
    public static string? Preset(this OdooVersion version) => version == OdooVersion.Delivered ? null : "odoo-" + version.Name();

    internal static bool IsStock(this OdooVersion version) => version >= OdooVersion.Odoo16;

    internal static bool HasHistory(this OdooVersion version) => version >= OdooVersion.Odoo18;

    /// <summary>In the delivered one too: the add-on it was made for was thought to have them.</summary>
    internal static bool HasArchivedCards(this OdooVersion version) => version is OdooVersion.Delivered or >= OdooVersion.Odoo18;

    internal static bool HasPoints(this OdooVersion version) => version < OdooVersion.Odoo20;
}
