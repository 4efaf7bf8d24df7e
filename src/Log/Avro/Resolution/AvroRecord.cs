using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Avro.Resolution;

/// <summary>A record's values in the order of its schema's fields.</summary>
internal sealed record AvroRecord(RecordSchema Schema, IReadOnlyList<object?> Values)
{
    /// <exception cref="KeyNotFoundException">There is no such field.</exception>
    public object? this[string field]
    {
        get
        {
            for (var i = 0; i < Schema.Fields.Count; i++)
                if (Schema.Fields[i].Name == field)
                    return Values[i];
            throw new KeyNotFoundException($"{Schema.Name} has no field {field}.");
        }
    }
}
