using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Core.Schemas;
using Cdc.Log.Avro.Schemas;

namespace Cdc.Log.Registry;

/// <summary>The text of a schema as it is kept: JSON without blanks, so that layout makes no other schema.</summary>
internal static class SchemaText
{
    /// <exception cref="SchemaRegistryException">It is not an Avro schema.</exception>
    public static string Normal(string schema)
    {
        try
        {
            AvroSchema.Parse(schema);
            return JsonNode.Parse(schema)!.ToJsonString();
        }
        catch (Exception e) when (e is AvroSchemaException or JsonException)
        {
            throw new SchemaRegistryException(SchemaRegistryException.InvalidSchema, $"Invalid schema: {e.Message}");
        }
    }

    /// <summary>
    /// The ids it may have, in order of preference: the same wherever and whenever the text is registered, unless another one has it.
    /// </summary>
    public static IEnumerable<int> Ids(string normal)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(normal));
        for (var id = BinaryPrimitives.ReadInt32BigEndian(hash) & int.MaxValue; ; id = id == int.MaxValue ? 1 : id + 1)
            if (id > 0)
                yield return id;
    }
}
