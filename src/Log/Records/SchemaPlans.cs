using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Cdc.Core.Entities;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Avro.Schemas;
using Cdc.Log.Registry;

namespace Cdc.Log.Records;

/// <summary>How records are read, by the schema ids they name. What was learnt is kept for as long as the process lives.</summary>
internal sealed class SchemaPlans(ISchemaClient registry)
{
    private readonly ConcurrentDictionary<(string Topic, int Id), ValuePlan> _values = new();
    private readonly ConcurrentDictionary<(string Topic, int Id), bool> _keys = new();

    public bool TryValue(string topic, int id, [NotNullWhen(true)] out ValuePlan? plan) => _values.TryGetValue((topic, id), out plan);

    public bool IsKey(string topic, int id) => _keys.ContainsKey((topic, id));

    /// <exception cref="RecordFormatException">The registry has no such schema, or rows cannot be read with it.</exception>
    public async Task LearnAsync(
        string topic,
        IReadOnlyList<EntityDeclaration> entities,
        ReadOnlyMemory<byte> key,
        ReadOnlyMemory<byte> value,
        CancellationToken ct
    )
    {
        var valueId = IdOf(topic, value.Span);
        if (!_values.ContainsKey((topic, valueId)))
            _values[(topic, valueId)] = new ValuePlan(await SchemaAsync(topic, valueId, ct), topic, entities);
        if (key.IsEmpty)
            return;
        var keyId = IdOf(topic, key.Span);
        if (_keys.ContainsKey((topic, keyId)))
            return;
        var schema = await SchemaAsync(topic, keyId, ct);
        if (!IsOf(schema, entities[0]))
            throw new RecordFormatException(
                entities[0].HashedKey is not null ? $"A key of {topic} is no record of {entities[0].SourceKey.Shown}, in this order."
                : entities[0].SecondKey is null ? $"A key of {topic} is no record of one integer."
                : $"A key of {topic} is no record of the integers {entities[0].SourceKey.Shown}, in this order."
            );
        _keys[(topic, keyId)] = true;
    }

    /// <summary>The one field of a key may have any name; of two it must be known which is which.</summary>
    private static bool IsOf(AvroSchema schema, EntityDeclaration entity) =>
        entity.SourceKey is var key
        && schema is RecordSchema record
        && record.Fields.Count == key.Columns.Count
        && record.Fields.Zip(entity.KeyColumns).All(f => IsOf(f.First.Schema.Kind, f.Second.Type))
        && (key.Columns.Count == 1 || record.Fields.Select(f => f.Name).SequenceEqual(key.Columns.Select(AvroName.Adjusted)));

    private static bool IsOf(AvroKind kind, SourceType type) =>
        type == SourceType.Integer ? kind is AvroKind.Int or AvroKind.Long : kind is AvroKind.String;

    private async Task<AvroSchema> SchemaAsync(string topic, int id, CancellationToken ct)
    {
        var text =
            await registry.FindAsync(id, ct)
            ?? throw new RecordFormatException($"A record of {topic} names schema {id}, which the registry does not have.");
        try
        {
            return AvroSchema.Parse(text);
        }
        catch (AvroSchemaException e)
        {
            throw new RecordFormatException($"Schema {id}, which a record of {topic} names, cannot be read: {e.Message}", e);
        }
    }

    private static int IdOf(string topic, ReadOnlySpan<byte> message)
    {
        try
        {
            return ConfluentFrame.SchemaId(message);
        }
        catch (AvroFormatException e)
        {
            throw new RecordFormatException($"A record of {topic} cannot be read: {e.Message}", e);
        }
    }
}
