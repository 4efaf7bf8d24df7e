using System.Text;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;
using Cdc.Log.Avro.Schemas;
using Cdc.Log.Records.Columns;

namespace Cdc.Log.Records;

internal enum EnvelopeField : byte
{
    Other,
    After,
    Source,
    Op,
}

internal enum SourceField : byte
{
    Other,
    TimeMicros,
    Xid,
    CommitLsn,
    Generation,
    Ordinal,
    Session,
    SessionSequence,
    Rekey,
    Unchanged,
    Exact,
}

/// <summary>A column of the writer's rows; <paramref name="Place"/> -1: no entity wants it.</summary>
internal readonly record struct RowField(int Place, FieldPlan Plan, ColumnForm Form, byte[] Name);

/// <summary>How values of one writer's schema are read: its fields in their order, each by its name.</summary>
internal sealed class ValuePlan
{
    /// <exception cref="RecordFormatException">It has not what applying a row needs, or a declared column in a form that it cannot be read
    /// from.</exception>
    public ValuePlan(AvroSchema writer, string topic, IReadOnlyList<EntityDeclaration> entities)
    {
        var envelope = writer as RecordSchema ?? throw Wrong(topic, "is no record");
        Envelope = [.. envelope.Fields.Select(f => (EnvelopeFieldOf(f.Name), new FieldPlan(f.Schema)))];
        var after = RecordOf(envelope, EnvelopeSchema.After, topic);
        var source = RecordOf(envelope, EnvelopeSchema.Source, topic);
        if (envelope.Fields.FirstOrDefault(f => f.Name == EnvelopeSchema.Op)?.Schema.Kind != AvroKind.String)
            throw Wrong(topic, "has no text op");
        Source = [.. source.Fields.Select(f => (SourceFieldOf(f), new FieldPlan(f.Schema)))];
        Require(
            topic,
            SourceField.TimeMicros,
            SourceField.CommitLsn,
            SourceField.Generation,
            SourceField.Ordinal,
            SourceField.Session,
            SourceField.SessionSequence,
            SourceField.Unchanged,
            SourceField.Exact
        );
        Row = RowOf(after, entities);
        Columns = Row.Count(f => f.Place >= 0);
        Schemas = [.. entities.Select(entity => SchemaFor(entity, after, topic))];
    }

    public (EnvelopeField Field, FieldPlan Plan)[] Envelope { get; }
    public (SourceField Field, FieldPlan Plan)[] Source { get; }

    /// <summary>In the writer's order.</summary>
    public RowField[] Row { get; }

    /// <summary>Those with a place.</summary>
    public int Columns { get; }

    /// <summary>One for each entity of the topic, over the columns with a place.</summary>
    public TableSchema[] Schemas { get; }

    private static RowField[] RowOf(RecordSchema after, IReadOnlyList<EntityDeclaration> entities)
    {
        var wanted = entities.SelectMany(e => e.SourceColumns).Select(c => AvroName.Adjusted(c.Name)).ToHashSet(StringComparer.Ordinal);
        var place = 0;
        return
        [
            .. after.Fields.Select(field =>
            {
                var plan = new FieldPlan(field.Schema);
                return wanted.Contains(field.Name) && ColumnForm.Of(plan.Value) is { } form
                    ? new RowField(place++, plan, form, Encoding.UTF8.GetBytes(field.Name))
                    : new RowField(-1, plan, default, []);
            }),
        ];
    }

    private TableSchema SchemaFor(EntityDeclaration entity, RecordSchema after, string topic)
    {
        var byField = entity.SourceColumns.ToDictionary(c => AvroName.Adjusted(c.Name));
        var columns = new List<ColumnSchema>();
        var slots = new List<int>();
        for (var i = 0; i < Row.Length; i++)
        {
            var declared = byField.GetValueOrDefault(after.Fields[i].Name);
            if (declared is not null && (Row[i].Place < 0 || !Row[i].Form.CanBeReadAs(declared.Type)))
                throw Wrong(topic, $"has column {declared.Name} in a form that cannot be read as {declared.Type}");
            if (Row[i].Place < 0)
                continue;
            columns.Add(
                new ColumnSchema(
                    declared?.Name ?? after.Fields[i].Name,
                    Row[i].Form.TypeOid,
                    declared is not null && entity.KeyColumns.Contains(declared)
                )
            );
            slots.Add(declared?.Slot ?? -1);
        }
        return new TableSchema(entity.Index, 0, entity.SourceName, columns, [.. slots], entity.SourceColumns.Count, RowFormat.PgOutput);
    }

    private void Require(string topic, params SourceField[] fields)
    {
        foreach (var field in fields)
            if (!Source.Any(f => f.Field == field))
                throw Wrong(topic, $"has no {EnvelopeSchema.Source}.{field} of its type: it was not written by cdc");
    }

    private static RecordSchema RecordOf(RecordSchema envelope, string name, string topic) =>
        envelope.Fields.FirstOrDefault(f => f.Name == name) is { } field && new FieldPlan(field.Schema).Value is RecordSchema record
            ? record
            : throw Wrong(topic, $"has no record {name}");

    private static EnvelopeField EnvelopeFieldOf(string name) =>
        name switch
        {
            EnvelopeSchema.After => EnvelopeField.After,
            EnvelopeSchema.Source => EnvelopeField.Source,
            EnvelopeSchema.Op => EnvelopeField.Op,
            _ => EnvelopeField.Other,
        };

    /// <summary>A field of a known name and another type is another field.</summary>
    private static SourceField SourceFieldOf(RecordField field) =>
        (field.Name, new FieldPlan(field.Schema).Value) switch
        {
            (EnvelopeSchema.TimeMicros, { Kind: AvroKind.Long }) => SourceField.TimeMicros,
            (EnvelopeSchema.Xid, { Kind: AvroKind.Long or AvroKind.Int }) => SourceField.Xid,
            (EnvelopeSchema.CommitLsn, { Kind: AvroKind.Long }) => SourceField.CommitLsn,
            (EnvelopeSchema.Generation, { Kind: AvroKind.Int or AvroKind.Long }) => SourceField.Generation,
            (EnvelopeSchema.Ordinal, { Kind: AvroKind.Long or AvroKind.Int }) => SourceField.Ordinal,
            (EnvelopeSchema.Session, { Kind: AvroKind.Long or AvroKind.Int }) => SourceField.Session,
            (EnvelopeSchema.SessionSequence, { Kind: AvroKind.Long or AvroKind.Int }) => SourceField.SessionSequence,
            (EnvelopeSchema.Rekey, { Kind: AvroKind.Boolean }) => SourceField.Rekey,
            (EnvelopeSchema.Unchanged, ArraySchema { Items.Kind: AvroKind.String }) => SourceField.Unchanged,
            (EnvelopeSchema.Exact, MapSchema { Values.Kind: AvroKind.String }) => SourceField.Exact,
            _ => SourceField.Other,
        };

    private static RecordFormatException Wrong(string topic, string what) => new($"A value's schema in {topic} {what}.");
}
