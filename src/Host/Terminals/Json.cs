using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Core.Changes;

namespace Cdc.Host.Terminals;

/// <summary>The one form of JSON results: camelCase names, nulls written, words for enums. docs/commands.md has the shapes.</summary>
internal static class Json
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new LsnAsText(), new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private static readonly JsonSerializerOptions OneLine = new(Indented) { WriteIndented = false };

    public static string Document(object value) => JsonSerializer.Serialize(value, Indented);

    public static string Line(object value) => JsonSerializer.Serialize(value, OneLine);

    public static JsonElement Element(object value) => JsonSerializer.SerializeToElement(value, OneLine);

    private sealed class LsnAsText : JsonConverter<Lsn>
    {
        public override Lsn Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Lsn.Parse(reader.GetString() ?? "");

        public override void Write(Utf8JsonWriter writer, Lsn value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }
}
