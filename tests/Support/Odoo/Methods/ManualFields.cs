using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>A field that an administrator makes is a column at once, and goes with it: the locks are those of ALTER TABLE.</summary>
internal static class ManualFields
{
    public static async Task<List<long>> CreateAsync(OdooEnvironment env, ModelRecords records, IReadOnlyList<PyDict> all)
    {
        env.Check(records.Model, Operation.Create);
        var ids = new List<long>();
        foreach (var given in all)
        {
            var name = given.GetValueOrDefault("name") as string ?? "";
            if (!name.StartsWith("x_", StringComparison.Ordinal))
                throw OdooError.Validation("Custom fields must have a name that starts with 'x_'!");
            var values = new PyDict(given) { ["model"] = await ModelNameAsync(env, given.GetValueOrDefault("model_id")) };
            ids.AddRange(await records.CreateAsync([values]));
            env.ForgetManualFields();
            await AddColumnAsync(env, await env.ModelAsync((string)values["model"]!), name, given.GetValueOrDefault("index") is true);
        }
        return ids;
    }

    /// <summary>The columns alone; the rows of the fields are the caller's.</summary>
    public static async Task DropAsync(OdooEnvironment env, ModelRecords records, IReadOnlyList<long> ids)
    {
        env.Check(records.Model, Operation.Unlink);
        await records.CheckThereAsync(ids);
        foreach (var row in await env.RowsAsync("SELECT model, name, state FROM ir_model_fields WHERE id = ANY($1)", ids.ToArray()))
        {
            if (row[2] is not "manual")
                throw OdooError.User("This column contains module data and cannot be removed!");
            await env.ExecuteAsync($"ALTER TABLE {env.Models.Find((string)row[0]!)!.Table} DROP COLUMN \"{row[1]}\" CASCADE");
        }
    }

    /// <summary>What a change of the fields' rows does to the columns.</summary>
    public static async Task ChangedAsync(OdooEnvironment env, IReadOnlyList<long> ids, PyDict values)
    {
        env.ForgetManualFields();
        if (values.GetValueOrDefault("index") is true)
            foreach (var row in await env.RowsAsync("SELECT model, name FROM ir_model_fields WHERE id = ANY($1)", ids.ToArray()))
                await IndexAsync(env, env.Models.Find((string)row[0]!)!, (string)row[1]!);
    }

    private static async Task AddColumnAsync(OdooEnvironment env, OdooModel model, string name, bool isIndexed)
    {
        await env.ExecuteAsync($"ALTER TABLE {model.Table} ADD COLUMN \"{name}\" {model.Fields[name].SqlType}");
        if (isIndexed)
            await IndexAsync(env, model, name);
    }

    /// <summary>16 names indexes with one underscore.</summary>
    private static Task<int> IndexAsync(OdooEnvironment env, OdooModel model, string name) =>
        env.ExecuteAsync(
            $"CREATE INDEX IF NOT EXISTS \"{model.Table}{(env.Models.Major == 16 ? "_" : "__")}{name}_index\" ON {model.Table} (\"{name}\")"
        );

    private static async Task<string> ModelNameAsync(OdooEnvironment env, object? id) =>
        id is long number && await env.ScalarAsync("SELECT model FROM ir_model WHERE id = $1", number) is string name
            ? name
            : throw OdooError.Missing("ir.model", [id as long? ?? 0], env.Uid);
}
