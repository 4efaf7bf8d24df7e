using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Core.Snapshots;

namespace Cdc.Core.Entities;

/// <summary>
/// A key as people write it: the value of its column, such as <c>17</c>, or those of several with commas, such as <c>6,1</c>. Of a hash it is
/// <c>hash:</c> and 16 hexadecimal digits where the key's own text is not known (<see cref="KeyHash"/>).
/// </summary>
public static class KeyText
{
    public static string Of(long key) =>
        KeyHash.Is(key) ? KeyHash.Shown(key)
        : KeyPair.Is(key) ? string.Create(CultureInfo.InvariantCulture, $"{KeyPair.First(key)},{KeyPair.Second(key)}")
        : key.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc cref="KeyRange.ToString"/>
    public static string Of(long? key) => key is { } known ? Of(known) : "-";

    /// <summary>The key of an entity: of one that is known by a hash any text is a key. Null: it is none.</summary>
    public static long? Parse(string text, EntityDeclaration entity) =>
        entity.HashedKey is null ? Parse(text) : KeyHash.Parse(text) ?? KeyHash.Number(Encoding.UTF8.GetBytes(text));

    /// <summary>Null: it is no key.</summary>
    public static long? Parse(string text)
    {
        if (KeyHash.Parse(text) is { } hash)
            return hash;
        const NumberStyles Signed = NumberStyles.AllowLeadingSign;
        var comma = text.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0)
            return long.TryParse(text, Signed, CultureInfo.InvariantCulture, out var key) ? key : null;
        return
            long.TryParse(text[..comma], Signed, CultureInfo.InvariantCulture, out var first)
            && long.TryParse(text[(comma + 1)..].Trim(), Signed, CultureInfo.InvariantCulture, out var second)
            ? KeyPair.Number(first, second)
            : null;
    }
}

/// <summary>In JSON: a number, or a text of several columns or a hash: such a number has more digits than most readers of JSON keep.</summary>
public sealed class KeyJsonConverter : JsonConverter<long>
{
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String
            ? KeyText.Parse(reader.GetString()!) ?? throw new JsonException("That is no key.")
            : reader.GetInt64();

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options)
    {
        if (KeyPair.Is(value) || KeyHash.Is(value))
            writer.WriteStringValue(KeyText.Of(value));
        else
            writer.WriteNumberValue(value);
    }
}

/// <summary>The same of some keys.</summary>
public sealed class KeysJsonConverter : JsonConverter<IReadOnlyList<long>>
{
    private static readonly KeyJsonConverter One = new();

    public override IReadOnlyList<long> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new JsonException("Those are no keys.");
        var keys = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            keys.Add(One.Read(ref reader, typeof(long), options));
        return keys;
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<long> value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var key in value)
            One.Write(writer, key, options);
        writer.WriteEndArray();
    }
}
