using System.Text.RegularExpressions;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Avro.Schemas;
using Cdc.Log.Records.Columns;

namespace Cdc.Log.Records;

/// <summary>Which source table is in which topic, and which entities read it.</summary>
internal sealed partial class TopicTables
{
    private readonly string[] _topicOfEntity;
    private readonly Dictionary<string, EntityDeclaration[]> _entities;

    /// <exception cref="CdcException">Configuration: two tables would share a topic, or a topic's name is not one.</exception>
    public TopicTables(EntitySet entities, string prefix)
    {
        _topicOfEntity = [.. entities.All.Select(e => IllegalInTopic().Replace($"{prefix}.{e.SourceSchema}.{e.SourceTable}", "_"))];
        _entities = entities.All.GroupBy(e => _topicOfEntity[e.Index]).ToDictionary(g => g.Key, g => g.ToArray());
        foreach (var (topic, readers) in _entities)
            Check(topic, readers);
        if (_entities.Keys.Select(t => DeadLettersOf(prefix, t)).FirstOrDefault(_entities.ContainsKey) is { } shared)
            throw Wrong($"The topic {shared} would hold the rows of a table, and the quarantined ones of another.");
    }

    public string TopicOf(int entity) => _topicOfEntity[entity];

    /// <summary>The topic that shows quarantined rows of a table's topic.</summary>
    public static string DeadLettersOf(string prefix, string topic) => $"{prefix}.dlq{topic[prefix.Length..]}";

    /// <summary>In the order of the declaration.</summary>
    public IReadOnlyList<EntityDeclaration> EntitiesOf(string topic) => _entities[topic];

    /// <summary>
    /// The columns of a topic's rows: those that an entity declares and the table has, in the order of the declaration, so that rows of the
    /// stream and of chunks have one schema.
    /// </summary>
    public IReadOnlyList<TopicColumn> ColumnsOf(TableSchema schema, TimestampUnit timestamps = TimestampUnit.Micros)
    {
        var readers = EntitiesOf(TopicOf(schema.Entity));
        var present = schema.Columns.ToDictionary(c => c.Name);
        var declared = readers.SelectMany(e => e.SourceColumns).Select(c => c.Name).Distinct().Where(present.ContainsKey);
        return
        [
            .. declared.Select(name => new TopicColumn(
                EnvelopeSchema.NameOf(present[name]),
                name,
                IsNumber(readers, name) ? ColumnForm.OfNumber(present[name]) : ColumnForm.Of(present[name], schema.Name, timestamps),
                readers[0].SourceKey.Columns.Contains(name)
            )),
        ];
    }

    /// <summary>Every entity that declares the column takes any type of numbers.</summary>
    private static bool IsNumber(IReadOnlyList<EntityDeclaration> readers, string column) =>
        readers.SelectMany(e => e.SourceColumns).Where(c => c.Name == column).All(c => c.Type == SourceType.Number);

    /// <summary>The namespace of its records.</summary>
    public static string NamespaceOf(string topic) => string.Join('.', topic.Split('.').Select(AvroName.Adjusted));

    private static void Check(string topic, EntityDeclaration[] readers)
    {
        const int MostCharacters = 249; // Kafka's own limit
        if (topic.Length > MostCharacters)
            throw Wrong($"The topic's name {topic} is longer than {MostCharacters} characters.");
        if (readers.Select(e => (e.SourceSchema, e.SourceTable)).Distinct().Count() > 1)
            throw Wrong($"{string.Join(" and ", readers.Select(e => e.SourceName).Distinct())} would share the topic {topic}.");
        if (readers.Select(e => (e.SourceKey.Shown, e.SourceKey.IsHashed)).Distinct().Count() > 1)
            throw Wrong($"Entities that read {readers[0].SourceName} name different keys: a topic's records have one.");
        var fields = readers.SelectMany(e => e.SourceColumns).Select(c => c.Name).Distinct().ToList();
        if (fields.DistinctBy(AvroName.Adjusted).Count() != fields.Count)
            throw Wrong($"Columns of {readers[0].SourceName} differ only in characters that Avro does not allow.");
    }

    private static CdcException Wrong(string what) =>
        new(
            FailureKind.Configuration,
            what,
            "Rename the table or column in Odoo, or change the entities declaration; or use the in-process log (Log:Kind=InProcess)."
        );

    [GeneratedRegex("[^a-zA-Z0-9._-]")]
    private static partial Regex IllegalInTopic();
}
