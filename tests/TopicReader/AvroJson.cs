using System.Collections;
using System.Text.Json.Nodes;
using Avro.Generic;

namespace Cdc.Tests.TopicReader;

/// <summary>What Apache.Avro reads, as JSON: moments as microseconds since 1970.</summary>
internal static class AvroJson
{
    public static JsonNode? Of(object? value) =>
        value switch
        {
            null => null,
            GenericRecord record => new JsonObject(
                record.Schema.Fields.Select(f => new KeyValuePair<string, JsonNode?>(f.Name, Of(record.GetValue(f.Pos))))
            ),
            bool truth => truth,
            int number => number,
            long number => number,
            float number => number,
            double number => number,
            string text => text,
            byte[] bytes => Convert.ToHexStringLower(bytes),
            DateTime moment => (moment - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
            IDictionary map => new JsonObject(map.Keys.Cast<string>().Select(k => new KeyValuePair<string, JsonNode?>(k, Of(map[k])))),
            IEnumerable items => new JsonArray([.. items.Cast<object?>().Select(Of)]),
            _ => throw new NotSupportedException($"{value.GetType()} is no value that is expected here."),
        };
}
