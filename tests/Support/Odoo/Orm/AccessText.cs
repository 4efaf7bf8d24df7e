using Cdc.Tests.Support.Odoo.Models;

namespace Cdc.Tests.Support.Odoo.Orm;

/// <summary>What Odoo says to who may not.</summary>
internal static class AccessText
{
    public static string Of(OdooModel model, Operation operation, int major)
    {
        var allowed = model.Rights.GetValueOrDefault(operation, []);
        var names = OdooGroups.All(major).Where(g => allowed.Contains(g.Id)).Select(g => g.Shown).Order(StringComparer.Ordinal).ToList();
        var groups =
            names.Count == 0
                ? "No group currently allows this operation."
                : "This operation is allowed for the following groups:\n" + string.Join('\n', names.Select(n => $"\t- {n}"));
        return $"You are not allowed to {Verb(operation)} '{model.Description}' ({model.Name}) records.\n\n{groups}\n\n"
            + "Contact your administrator to request access if necessary.";
    }

    private static string Verb(Operation operation) =>
        operation switch
        {
            Operation.Read => "access",
            Operation.Write => "modify",
            Operation.Create => "create",
            _ => "delete",
        };
}
