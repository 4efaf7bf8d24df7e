using Cdc.Core.Schemas;
using Cdc.Log.Avro.Resolution;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Registry;

/// <summary>Whether a new schema gets along with earlier ones.</summary>
internal static class Compatibility
{
    /// <param name="earlier">Of the subject, oldest first.</param>
    /// <returns>Why it does not; empty: it does.</returns>
    /// <exception cref="AvroSchemaException">A text is not a schema.</exception>
    public static IReadOnlyList<string> Problems(CompatibilityLevel level, string schema, IReadOnlyList<RegisteredSchema> earlier)
    {
        var added = AvroSchema.Parse(schema);
        return [.. Asked(level, earlier).SelectMany(version => Problems(level, added, version))];
    }

    private static IEnumerable<RegisteredSchema> Asked(CompatibilityLevel level, IReadOnlyList<RegisteredSchema> earlier) =>
        level switch
        {
            CompatibilityLevel.None => [],
            CompatibilityLevel.Backward or CompatibilityLevel.Forward or CompatibilityLevel.Full => earlier.TakeLast(1),
            _ => earlier,
        };

    private static IEnumerable<string> Problems(CompatibilityLevel level, AvroSchema added, RegisteredSchema version)
    {
        var there = AvroSchema.Parse(version.Schema);
        if (level is not (CompatibilityLevel.Forward or CompatibilityLevel.ForwardTransitive))
            foreach (var problem in Unreadable(there, added))
                yield return $"It cannot read what version {version.Version} wrote: {problem}";
        if (level is not (CompatibilityLevel.Backward or CompatibilityLevel.BackwardTransitive))
            foreach (var problem in Unreadable(added, there))
                yield return $"Version {version.Version} cannot read what it writes: {problem}";
    }

    private static IReadOnlyList<string> Unreadable(AvroSchema writer, AvroSchema reader)
    {
        try
        {
            return SchemaResolution.Of(writer, reader).Problems;
        }
        catch (AvroSchemaException e)
        {
            return [e.Message];
        }
    }
}
