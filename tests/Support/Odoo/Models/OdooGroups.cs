namespace Cdc.Tests.Support.Odoo.Models;

/// <summary>The groups that are there from the beginning, by their ids in the stand-in's database.</summary>
internal static class OdooGroups
{
    public const int User = 1;
    public const int Settings = 4;
    public const int Portal = 10;
    public const int SalesUser = 20;
    public const int SalesManager = 21;
    public const int PosUser = 22;
    public const int PosManager = 23;

    /// <summary>With the external id and what messages call it.</summary>
    public static IEnumerable<(int Id, string Module, string Name, string Shown)> All(int major) =>
        [
            (User, "base", "group_user", major >= 19 ? "Role / User" : "User types / Internal User"),
            (Settings, "base", "group_system", major >= 19 ? "Role / Administrator" : "Administration/Settings"),
            (Portal, "base", "group_portal", "User types / Portal"),
            (SalesUser, "sales_team", "group_sale_salesman", "Sales/User: Own Documents Only"),
            (SalesManager, "sales_team", "group_sale_manager", "Sales/Administrator"),
            (PosUser, "point_of_sale", "group_pos_user", "Point of Sale/User"),
            (PosManager, "point_of_sale", "group_pos_manager", "Point of Sale/Administrator"),
        ];
}
