using Cdc.Tests.Support.Odoo.Errors;
using Cdc.Tests.Support.Odoo.Methods;
using Cdc.Tests.Support.Odoo.Models;

namespace Cdc.Tests.Support.Odoo.Http;

/// <summary>A call of a public method with its arguments by their names.</summary>
internal sealed record ModelCall(OdooModel Model, string Method, IReadOnlyList<long> Ids, PyDict Arguments, PyDict Context)
{
    /// <exception cref="OdooError">There is no such public method.</exception>
    public static MethodSignature Signature(OdooModel model, string method, int major) =>
        method.StartsWith('_')
            ? throw OdooError.Access($"Private methods (such as '{model.Name}.{method}') cannot be called remotely.")
            : MethodSignature.Find(model, method, major)
                ?? throw new OdooError(
                    "builtins.AttributeError",
                    404,
                    major >= 19
                        ? $"The method '{model.Name}.{method}' does not exist"
                        : $"type object '{model.Name}' has no attribute '{method}'"
                );

    public static IReadOnlyList<long> ToIds(object? given) =>
        given switch
        {
            long one => [one],
            List<object?> several => [.. several.OfType<long>()],
            _ => [],
        };

    /// <summary>Taken out of the named arguments, as both protocols do.</summary>
    public static PyDict TakeContext(PyDict named)
    {
        if (!named.Remove("context", out var context) || context is null or false)
            return [];
        return context as PyDict ?? throw OdooError.Value("dictionary update sequence element #0 has length 1; 2 is required");
    }
}
