using System.Buffers.Binary;

namespace Cdc.Log.Avro.Binary;

/// <summary>Confluent's wire format: a zero byte, the schema's id in four bytes (big-endian), then Avro.</summary>
internal static class ConfluentFrame
{
    public const int Length = 5;

    public static byte[] Of(int schemaId)
    {
        var frame = new byte[Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), schemaId);
        return frame;
    }

    /// <exception cref="AvroFormatException">The message does not begin as one.</exception>
    public static int SchemaId(ReadOnlySpan<byte> message) =>
        message.Length >= Length && message[0] == 0
            ? BinaryPrimitives.ReadInt32BigEndian(message[1..])
            : throw new AvroFormatException(
                message.Length < Length
                    ? $"A message of {message.Length} bytes names no schema."
                    : $"A message begins with 0, not with {message[0]}."
            );
}
