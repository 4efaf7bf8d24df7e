using System.Collections.Concurrent;
using Cdc.Tests.Support.Odoo.Errors;

namespace Cdc.Tests.Support.Odoo.Orm;

/// <summary>A constraint of somebody's module: rows of a model that are refused when they are written or created.</summary>
internal sealed class Refusals
{
    private readonly ConcurrentDictionary<(string Model, string Field, string Value), string> _refused = new();

    /// <param name="value">As text; a row that has it is refused.</param>
    public void Add(string model, string field, string value, string message) => _refused[(model, field, value)] = message;

    public void Remove(string model, string field, string value) => _refused.TryRemove((model, field, value), out _);

    /// <summary>Looks at the rows as they are now in the transaction.</summary>
    public async Task CheckAsync(OdooEnvironment env, string model, IReadOnlyCollection<long> ids)
    {
        foreach (var ((_, field, value), message) in _refused.Where(r => r.Key.Model == model))
            if (
                await env.ScalarAsync(
                    $"SELECT 1 FROM {env.Models.Find(model)!.Table} WHERE id = ANY($1) AND {field}::text = $2 LIMIT 1",
                    ids.ToArray(),
                    value
                )
                is not null
            )
                throw OdooError.Validation(message);
    }
}
