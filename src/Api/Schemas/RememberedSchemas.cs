using System.Collections.Concurrent;
using Cdc.Core.Schemas;

namespace Cdc.Api.Schemas;

/// <summary>
/// The registry with a cache of every schema answered so far. An id never changes its meaning, so readers of topics continue while the
/// engine is down. The cache is bounded by the registered schemas: a missing one is not kept.
/// </summary>
internal sealed class RememberedSchemas(ISchemaRegistry engine) : ISchemaRegistry
{
    private readonly ConcurrentDictionary<int, string> _byId = new();
    private readonly ConcurrentDictionary<Guid, string> _byGuid = new();

    public Task<IReadOnlyList<string>> SubjectsAsync(CancellationToken ct) => engine.SubjectsAsync(ct);

    public async Task<IReadOnlyList<RegisteredSchema>> AllAsync(string subjectPrefix, CancellationToken ct) =>
        Keep(await engine.AllAsync(subjectPrefix, ct));

    public async Task<IReadOnlyList<RegisteredSchema>> VersionsAsync(string subject, CancellationToken ct) =>
        Keep(await engine.VersionsAsync(subject, ct));

    public async Task<string?> FindAsync(int id, CancellationToken ct) =>
        _byId.TryGetValue(id, out var known) ? known
        : await engine.FindAsync(id, ct) is { } schema ? _byId.GetOrAdd(id, schema)
        : null;

    public async Task<string?> FindAsync(Guid guid, CancellationToken ct) =>
        _byGuid.TryGetValue(guid, out var known) ? known
        : await engine.FindAsync(guid, ct) is { } schema ? _byGuid.GetOrAdd(guid, schema)
        : null;

    public Task<int> HighestIdAsync(CancellationToken ct) => engine.HighestIdAsync(ct);

    public Task<IReadOnlyList<RegisteredSchema>> UsesAsync(int id, CancellationToken ct) => engine.UsesAsync(id, ct);

    public async Task<RegisteredSchema> RegisterAsync(string subject, string schema, bool asWritten, CancellationToken ct) =>
        Keep(await engine.RegisterAsync(subject, schema, asWritten, ct));

    public Task<RegisteredSchema?> LookupAsync(string subject, string schema, CancellationToken ct) =>
        engine.LookupAsync(subject, schema, ct);

    public Task<IReadOnlyList<string>> ProblemsAsync(string subject, string schema, int? version, CancellationToken ct) =>
        engine.ProblemsAsync(subject, schema, version, ct);

    public Task<CompatibilityLevel?> CompatibilityAsync(string? subject, CancellationToken ct) => engine.CompatibilityAsync(subject, ct);

    public Task SetCompatibilityAsync(string? subject, CompatibilityLevel level, CancellationToken ct) =>
        engine.SetCompatibilityAsync(subject, level, ct);

    private IReadOnlyList<RegisteredSchema> Keep(IReadOnlyList<RegisteredSchema> schemas)
    {
        foreach (var schema in schemas)
            Keep(schema);
        return schemas;
    }

    private RegisteredSchema Keep(RegisteredSchema schema)
    {
        _byId.TryAdd(schema.Id, schema.Schema);
        _byGuid.TryAdd(schema.Guid, schema.Schema);
        return schema;
    }
}
