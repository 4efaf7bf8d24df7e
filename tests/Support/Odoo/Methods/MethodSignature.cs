using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Models;

namespace Cdc.Tests.Support.Odoo.Methods;

/// <summary>A public method: its parameters, and whether it is called on records or on the model.</summary>
/// <param name="IsOfModel">JSON-2 refuses ids for it.</param>
internal sealed record MethodSignature(bool IsOfModel, string[] Required, string[] Optional)
{
    private static readonly Dictionary<string, MethodSignature> Common = new()
    {
        ["search"] = new(true, [], ["domain", "offset", "limit", "order"]),
        ["search_read"] = new(true, [], ["domain", "fields", "offset", "limit", "order"]),
        ["search_count"] = new(true, [], ["domain", "limit"]),
        ["fields_get"] = new(true, [], ["allfields", "attributes"]),
        ["create"] = new(true, ["vals_list"], []),
        ["load"] = new(true, ["fields", "data"], []),
        ["check_access_rights"] = new(true, ["operation"], ["raise_exception"]),
        ["has_access"] = new(false, ["operation"], []),
        ["read"] = new(false, [], ["fields", "load"]),
        ["write"] = new(false, ["vals"], []),
        ["unlink"] = new(false, [], []),
        ["action_archive"] = new(false, [], []),
        ["action_unarchive"] = new(false, [], []),
    };

    private static readonly Dictionary<(string Model, string Method), MethodSignature> Own = new()
    {
        [("ir.actions.server", "run")] = new(false, [], []),
        [("res.users", "context_get")] = new(true, [], []),
        [("ir.config_parameter", "get_param")] = new(true, ["key"], ["default"]),
        [("ir.config_parameter", "set_param")] = new(true, ["key", "value"], []),
    };

    public static MethodSignature? Find(OdooModel model, string method, int major) =>
        method is "has_access" && major < 18 || (method.StartsWith("action_", StringComparison.Ordinal) && !model.HasActive)
            ? null
            : Own.GetValueOrDefault((model.Name, method)) ?? Common.GetValueOrDefault(method);

    /// <summary>By their names.</summary>
    /// <param name="wrong">What a wrong argument is.</param>
    public PyDict Bind(IReadOnlyList<object?> positional, PyDict named, Func<string, OdooError> wrong)
    {
        string[] names = [.. Required, .. Optional];
        var bound = new PyDict();
        if (positional.Count > names.Length)
            throw wrong("too many positional arguments");
        foreach (var (name, value) in names.Zip(positional))
            bound[name] = value;
        foreach (var (name, value) in named)
        {
            if (!names.Contains(name))
                throw wrong($"got an unexpected keyword argument '{name}'");
            if (!bound.TryAdd(name, value))
                throw wrong($"multiple values for argument '{name}'");
        }
        return Required.FirstOrDefault(r => !bound.ContainsKey(r)) is { } missing
            ? throw wrong($"missing a required argument: '{missing}'")
            : bound;
    }
}
