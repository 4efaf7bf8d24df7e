using System.Text.Json.Nodes;

namespace Cdc.Odoo.Calls;

/// <summary>An argument of a method: JSON-2 takes it by its name, JSON-RPC some of them by their place.</summary>
public readonly record struct OdooArgument(string Name, JsonNode? Value);

/// <summary>A call of a model's method: one transaction in Odoo, done as a whole or not at all.</summary>
public sealed record OdooCall(string Model, string Method)
{
    /// <summary>The records that it is called on; null: it is a method of the model.</summary>
    public IReadOnlyList<long>? Ids { get; init; }

    /// <summary>Those that JSON-RPC takes by their place, in its order.</summary>
    public IReadOnlyList<OdooArgument> Placed { get; init; } = [];

    public IReadOnlyList<OdooArgument> Named { get; init; } = [];

    public JsonObject Context { get; init; } = [];

    /// <summary>
    /// Done twice it does what it does once. Only such a call is sent again where the first one may have arrived; of any other that is
    /// <see cref="Failures.FailureClass.InDoubt"/>.
    /// </summary>
    public bool MayBeRepeated { get; init; }

    /// <summary>For messages; no values.</summary>
    public string Name => $"{Model}/{Method}";
}
