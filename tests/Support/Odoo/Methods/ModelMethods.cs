using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;
using Cdc.Tests.Support.Odoo.Orm;
using Cdc.Tests.Support.Odoo.Python;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>What the public methods do.</summary>
internal static class ModelMethods
{
    /// <returns>As Python would give it to JSON.</returns>
    public static async Task<object?> CallAsync(
        OdooEnvironment env,
        string modelName,
        string method,
        IReadOnlyList<long> ids,
        PyDict arguments
    )
    {
        var model = await env.ModelAsync(modelName);
        var records = new ModelRecords(env, model);
        switch (method)
        {
            case "search":
                return (await SearchAsync(records, arguments)).Cast<object?>().ToList();
            case "search_read":
                return await records.ReadAsync(await SearchAsync(records, arguments), Names(arguments.GetValueOrDefault("fields")));
            case "search_count":
                return (long)(await records.SearchAsync(arguments.GetValueOrDefault("domain"))).Count;
            case "read":
                return await records.ReadAsync(ids, Names(arguments.GetValueOrDefault("fields")));
            case "fields_get":
                return FieldsGet.Of(
                    model,
                    Names(arguments.GetValueOrDefault("allfields")),
                    Names(arguments.GetValueOrDefault("attributes"))
                );
            case "create":
                return await CreateAsync(env, records, arguments["vals_list"]);
            case "write":
                await WriteAsync(env, records, ids, arguments["vals"] as PyDict ?? throw NoDict(arguments["vals"]));
                return true;
            case "unlink":
                await UnlinkAsync(env, records, ids);
                return true;
            case "action_archive" or "action_unarchive":
                await records.WriteAsync(ids, new PyDict { ["active"] = method == "action_unarchive" });
                return null;
            case "load":
                return await new LoadImport(env, model).RunAsync(
                    Names(arguments["fields"]) ?? [],
                    [.. (arguments["data"] as List<object?> ?? []).OfType<List<object?>>()]
                );
            case "check_access_rights" or "has_access":
                return MayCall(env, model, arguments);
            case "run":
                return await ServerActions.RunAsync(env, ids);
            case "context_get":
                return ContextGet(env);
            case "get_param" or "set_param":
                return await ParameterAsync(env, model, method, arguments);
            default:
                throw new InvalidOperationException($"{model.Name}.{method} has a signature and no body.");
        }
    }

    private static Task<List<long>> SearchAsync(ModelRecords records, PyDict arguments) =>
        records.SearchAsync(
            arguments.GetValueOrDefault("domain"),
            arguments.GetValueOrDefault("offset") as long? ?? 0,
            arguments.GetValueOrDefault("limit") as long?,
            arguments.GetValueOrDefault("order") as string
        );

    private static async Task<object?> CreateAsync(OdooEnvironment env, ModelRecords records, object? given)
    {
        PyDict[] all = given switch
        {
            PyDict one => [one],
            List<object?> list => [.. list.Select(v => v as PyDict ?? throw NoDict(v))],
            _ => throw NoDict(given),
        };
        var ids = records.Model.Name switch
        {
            "ir.model.fields" => await ManualFields.CreateAsync(env, records, all),
            "ir.actions.server" => await ServerActions.CreateAsync(env, records, all),
            "res.users" => await Users.CreateAsync(env, records, all),
            _ => await records.CreateAsync(all),
        };
        return given is PyDict ? ids[0] : ids.Cast<object?>().ToList();
    }

    private static async Task WriteAsync(OdooEnvironment env, ModelRecords records, IReadOnlyList<long> ids, PyDict values)
    {
        if (records.Model.Name == "ir.actions.server")
            ServerActions.CheckBody(values);
        await records.WriteAsync(ids, values);
        if (records.Model.Name == "ir.model.fields")
            await ManualFields.ChangedAsync(env, ids, values);
    }

    private static async Task UnlinkAsync(OdooEnvironment env, ModelRecords records, IReadOnlyList<long> ids)
    {
        if (records.Model.Name == "ir.model.fields")
            await ManualFields.DropAsync(env, records, ids);
        if (
            records.Model.Name == "loyalty.program"
            && env.May(records.Model, Operation.Unlink)
            && await env.ScalarAsync("SELECT 1 FROM loyalty_program WHERE id = ANY($1) AND active LIMIT 1", ids.ToArray()) is not null
        )
            throw OdooError.User("You can not delete a program in an active state");
        await records.UnlinkAsync(ids);
        env.ForgetManualFields();
    }

    private static bool MayCall(OdooEnvironment env, OdooModel model, PyDict arguments)
    {
        if (!Enum.TryParse<Operation>(arguments["operation"] as string, ignoreCase: true, out var operation))
            throw OdooError.Value($"Invalid access mode {PyRepr.Of(arguments["operation"])}");
        if (arguments.GetValueOrDefault("raise_exception") is true)
            env.Check(model, operation);
        return env.May(model, operation);
    }

    private static PyDict ContextGet(OdooEnvironment env)
    {
        var context = new PyDict { ["lang"] = "en_US", ["tz"] = env.User.TimeZone is { } zone ? zone : false };
        if (env.Models.Major >= 19)
            context["uid"] = (long)env.Uid;
        return context;
    }

    private static async Task<object?> ParameterAsync(OdooEnvironment env, OdooModel model, string method, PyDict arguments)
    {
        env.Check(model, method == "get_param" ? Operation.Read : Operation.Write);
        var key = arguments["key"] as string;
        var old = await env.ScalarAsync("SELECT value FROM ir_config_parameter WHERE key = $1", key);
        if (method == "get_param")
            return old ?? arguments.GetValueOrDefault("default", false);
        await env.ExecuteAsync(
            "INSERT INTO ir_config_parameter (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
            key,
            arguments["value"]?.ToString()
        );
        return old ?? false;
    }

    private static List<string>? Names(object? list) => (list as List<object?>)?.Select(n => n?.ToString() ?? "").ToList();

    private static OdooError NoDict(object? value) => OdooError.Value($"Expected a dictionary, got {PyRepr.Of(value)}");
}
