using System.Collections.Concurrent;

namespace Cdc.Log.Registry;

/// <summary>Keeps what a registry has answered: neither an id nor its schema ever changes.</summary>
internal sealed class KnownSchemas(ISchemaClient registry) : ISchemaClient
{
    private readonly ConcurrentDictionary<(string Subject, string Schema), int> _ids = new();
    private readonly ConcurrentDictionary<int, string> _schemas = new();

    public ValueTask<int> RegisterAsync(string subject, string schema, CancellationToken ct) =>
        _ids.TryGetValue((subject, schema), out var id) ? ValueTask.FromResult(id) : AskAsync(subject, schema, ct);

    public ValueTask<string?> FindAsync(int id, CancellationToken ct) =>
        _schemas.TryGetValue(id, out var schema) ? ValueTask.FromResult<string?>(schema) : AskAsync(id, ct);

    private async ValueTask<int> AskAsync(string subject, string schema, CancellationToken ct)
    {
        var id = await registry.RegisterAsync(subject, schema, ct);
        // Its writer can read it too, even when the registry is unreachable or lost.
        _schemas.TryAdd(id, schema);
        return _ids.GetOrAdd((subject, schema), id);
    }

    private async ValueTask<string?> AskAsync(int id, CancellationToken ct)
    {
        // That there is none may change: it is not kept.
        if (await registry.FindAsync(id, ct) is not { } schema)
            return null;
        return _schemas.GetOrAdd(id, schema);
    }
}
