using Cdc.Tests.Support.Odoo.Python;

namespace Cdc.Tests.Support.Odoo.Errors;

/// <summary>An exception of Python's own inside the body of a server action.</summary>
/// <param name="type">Such as <c>TypeError</c>.</param>
internal sealed class PyError(string type, object? argument)
    : Exception(type == "KeyError" ? PyRepr.Of(argument) : argument?.ToString() ?? "")
{
    public string Type => type;

    /// <summary>As Odoo names it in JSON-RPC.</summary>
    public OdooError AsOdoo() => new($"builtins.{type}", 500, Message);

    public string Repr => $"{type}({PyRepr.Of(argument)})";
}
