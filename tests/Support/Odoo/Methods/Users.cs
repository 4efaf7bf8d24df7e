using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>A new user has a contact, and is an employee where no groups are given.</summary>
internal static class Users
{
    public static async Task<List<long>> CreateAsync(OdooEnvironment env, ModelRecords records, IReadOnlyList<PyDict> all)
    {
        env.Check(records.Model, Operation.Create);
        var partners = await ModelRecords.OfAsync(env.Sudo(), "res.partner");
        var ids = new List<long>();
        foreach (var given in all)
        {
            var values = new PyDict(given);
            values["partner_id"] = (await partners.CreateAsync([new PyDict { ["name"] = given.GetValueOrDefault("name") }]))[0];
            if (!values.ContainsKey(env.Models.GroupsField))
                values[env.Models.GroupsField] = new List<object?>
                {
                    new List<object?> { 4L, (long)OdooGroups.User },
                };
            ids.AddRange(await records.CreateAsync([values]));
        }
        return ids;
    }
}
