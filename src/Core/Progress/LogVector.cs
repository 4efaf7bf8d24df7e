using System.Text.Json;

namespace Cdc.Core.Progress;

/// <summary>A point of the whole log: for each partition, by its name, the offset after the last record before it.</summary>
public static class LogVector
{
    public static string ToJson(IReadOnlyDictionary<string, long> vector) => JsonSerializer.Serialize(vector);

    /// <exception cref="JsonException">It is no such vector.</exception>
    public static IReadOnlyDictionary<string, long> FromJson(string json) =>
        JsonSerializer.Deserialize<Dictionary<string, long>>(json) ?? [];
}
