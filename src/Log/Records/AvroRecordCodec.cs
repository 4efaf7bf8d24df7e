using System.Runtime.CompilerServices;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Log.Registry;

namespace Cdc.Log.Records;

/// <summary>Records in Avro with Confluent's wire format, as Debezium's envelopes.</summary>
/// <param name="prefix">Of the topics' names: <c>prefix.schema.table</c>.</param>
/// <param name="database">The source's, written into records for readers; not used here.</param>
/// <param name="version">Of cdc, written into records for readers; not used here.</param>
/// <exception cref="Cdc.Core.Failures.CdcException">Configuration: two declared tables would share a topic.</exception>
public sealed class AvroRecordCodec(
    EntitySet entities,
    string prefix,
    string database,
    string version,
    ISchemaClient registry,
    TimeProvider time
) : IRecordCodec
{
    private readonly TopicTables _tables = new(entities, prefix);
    private readonly SchemaPlans _plans = new(registry);
    private readonly ConditionalWeakTable<TableSchema, RegisteredTable> _registered = new();

    /// <summary>Of records that are written; those that are read say it themselves.</summary>
    public TimestampUnit Timestamps { get; init; }

    public string TopicOf(EntityDeclaration entity) => _tables.TopicOf(entity.Index);

    public ValueTask<IRecordEncoder> EncoderAsync(TableSchema schema, CancellationToken ct) =>
        _registered.TryGetValue(schema, out var registered)
            ? new ValueTask<IRecordEncoder>(EncoderOf(schema, registered))
            : RegisterAsync(schema, ct);

    public IRecordDecoder Decoder(string topic) => new AvroRecordDecoder(topic, _tables.EntitiesOf(topic), _plans);

    private async ValueTask<IRecordEncoder> RegisterAsync(TableSchema schema, CancellationToken ct)
    {
        var topic = _tables.TopicOf(schema.Entity);
        var columns = _tables.ColumnsOf(schema, Timestamps);
        var recordNamespace = TopicTables.NamespaceOf(topic);
        var key = entities[schema.Entity].SourceKey;
        var keys = key.Columns.Select(name => columns.Single(c => c.Column == name));
        var keyId = await registry.RegisterAsync(topic + "-key", EnvelopeSchema.Key(recordNamespace, keys), ct);
        var valueId = await registry.RegisterAsync(topic + "-value", EnvelopeSchema.Value(recordNamespace, columns), ct);
        var registered = new RegisteredTable(columns, keyId, valueId, key);
        _registered.AddOrUpdate(schema, registered);
        return EncoderOf(schema, registered);
    }

    private AvroRecordEncoder EncoderOf(TableSchema schema, RegisteredTable registered)
    {
        var entity = entities[schema.Entity];
        var source = new SourceBlock(version, prefix, database, entity.SourceSchema, entity.SourceTable);
        return new AvroRecordEncoder(TopicOf(entity), schema, registered, source, time);
    }
}

/// <summary>A table's columns as a topic's records have them, and the registry's ids of the schemas of key and value.</summary>
internal sealed record RegisteredTable(IReadOnlyList<TopicColumn> Columns, int KeyId, int ValueId, SourceKey Key);
