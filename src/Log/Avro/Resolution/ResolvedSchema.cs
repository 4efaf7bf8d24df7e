using System.Text;
using Cdc.Log.Avro.Binary;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Avro.Resolution;

/// <summary>One decision of a <see cref="SchemaResolution"/>: reads a value of the writer's as one of the reader's.</summary>
internal abstract class ResolvedSchema
{
    /// <returns>
    /// null, bool, int, long, float, double, byte[] (bytes and fixed), string (and an enum's symbol), IReadOnlyList&lt;object?&gt;,
    /// IReadOnlyDictionary&lt;string, object?&gt; or <see cref="AvroRecord"/>; of a union the value alone.
    /// </returns>
    public abstract object? Read(ref AvroReader reader);
}

internal sealed class ResolvedPrimitive(AvroKind writer, AvroKind reader) : ResolvedSchema
{
    /// <summary>The same, or a promotion that the specification allows.</summary>
    public static bool IsReadable(AvroKind writer, AvroKind reader) =>
        (writer, reader) switch
        {
            (AvroKind.Int, AvroKind.Long or AvroKind.Float or AvroKind.Double) => true,
            (AvroKind.Long, AvroKind.Float or AvroKind.Double) => true,
            (AvroKind.Float, AvroKind.Double) => true,
            (AvroKind.Bytes, AvroKind.String) or (AvroKind.String, AvroKind.Bytes) => true,
            _ => writer == reader && writer <= AvroKind.String,
        };

    public override object? Read(ref AvroReader source) =>
        (writer, reader) switch
        {
            (AvroKind.Null, _) => null,
            (AvroKind.Boolean, _) => source.ReadBoolean(),
            (AvroKind.Int, AvroKind.Int) => source.ReadInt(),
            (AvroKind.Int or AvroKind.Long, AvroKind.Long) => source.ReadLong(),
            (AvroKind.Int or AvroKind.Long, AvroKind.Float) => (float)source.ReadLong(),
            (AvroKind.Int or AvroKind.Long, _) => (double)source.ReadLong(),
            (AvroKind.Float, AvroKind.Float) => source.ReadFloat(),
            (AvroKind.Float, _) => (double)source.ReadFloat(),
            (AvroKind.Double, _) => source.ReadDouble(),
            (_, AvroKind.String) => Encoding.UTF8.GetString(source.ReadBytes()),
            _ => source.ReadBytes().ToArray(),
        };
}

internal sealed class ResolvedFixed(int size) : ResolvedSchema
{
    public override object Read(ref AvroReader reader) => reader.ReadFixed(size).ToArray();
}

/// <param name="symbols">For each of the writer's the reader's; null: it has none.</param>
internal sealed class ResolvedEnum(IReadOnlyList<string?> symbols, IReadOnlyList<string> writers) : ResolvedSchema
{
    public override object Read(ref AvroReader reader)
    {
        var symbol = reader.ReadLong();
        if ((ulong)symbol >= (ulong)symbols.Count)
            throw new AvroFormatException($"An enum of {symbols.Count} has no symbol {symbol}.");
        return symbols[(int)symbol] ?? throw new AvroFormatException($"The reader does not know the symbol {writers[(int)symbol]}.");
    }
}

internal sealed class ResolvedArray(ResolvedSchema items) : ResolvedSchema
{
    public override object Read(ref AvroReader reader)
    {
        var read = new List<object?>();
        while (reader.ReadBlock() is var count && count != 0)
            for (; count > 0; count--)
                read.Add(items.Read(ref reader));
        return read;
    }
}

internal sealed class ResolvedMap(ResolvedSchema values) : ResolvedSchema
{
    public override object Read(ref AvroReader reader)
    {
        var read = new Dictionary<string, object?>();
        while (reader.ReadBlock() is var count && count != 0)
            for (; count > 0; count--)
                read[Encoding.UTF8.GetString(reader.ReadBytes())] = values.Read(ref reader);
        return read;
    }
}

internal sealed class ResolvedUnion(IReadOnlyList<ResolvedSchema> branches) : ResolvedSchema
{
    public override object? Read(ref AvroReader reader) => branches[reader.ReadBranch(branches.Count)].Read(ref reader);
}

/// <summary>The writer may have written something else: only this value is refused.</summary>
internal sealed class ResolvedUnreadable(string why) : ResolvedSchema
{
    public override object? Read(ref AvroReader reader) => throw new AvroFormatException(why);
}

/// <param name="Place">Of the reader's fields; -1: it has no such field, the value is passed over.</param>
internal readonly record struct RecordStep(int Place, ResolvedSchema? Value, AvroSchema Writer);

internal sealed class ResolvedRecord(RecordSchema reader) : ResolvedSchema
{
    public IReadOnlyList<RecordStep> Steps { get; set; } = [];

    /// <summary>Fields that the writer does not have.</summary>
    public List<int> Missing { get; } = [];

    /// <summary>
    /// A field that the writer does not have, and for which the reader has no default: no value can be read. Null: there is none.
    /// </summary>
    public string? Lacks { get; set; }

    public override object Read(ref AvroReader source)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        if (Lacks is { } field)
            throw new AvroFormatException($"The writer's {reader.Name} has no field {field}, and the reader no default for it.");
        var values = new object?[reader.Fields.Count];
        foreach (var step in Steps)
        {
            if (step.Value is { } value)
                values[step.Place] = value.Read(ref source);
            else
                source.Skip(step.Writer);
        }
        foreach (var place in Missing)
            values[place] = DefaultValue.Of(reader.Fields[place].Schema, reader.Fields[place].Default);
        return new AvroRecord(reader, values);
    }
}
