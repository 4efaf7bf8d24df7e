using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Avro;
using Avro.Generic;
using Avro.IO;

namespace Cdc.Tests.TopicReader;

/// <summary>Confluent's wire format: a zero byte, the id of a schema, which a registry gives out over HTTP, and the record.</summary>
internal sealed class NamedSchemas(Uri registry) : IDisposable
{
    private const int FrameLength = 5;

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private readonly Dictionary<int, GenericDatumReader<GenericRecord>> _readers = [];

    public async Task<GenericRecord> ReadAsync(byte[] message, CancellationToken ct)
    {
        if (message is not [0, _, _, _, _, ..])
            throw new InvalidDataException("A message does not begin as Confluent's do.");
        var id = BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(1));
        if (!_readers.TryGetValue(id, out var reader))
            _readers[id] = reader = await ReaderAsync(id, ct);
        using var body = new MemoryStream(message, FrameLength, message.Length - FrameLength);
        var read = reader.Read(null!, new BinaryDecoder(body));
        return body.Position == body.Length ? read : throw new InvalidDataException("Bytes are left behind a record.");
    }

    public void Dispose() => _http.Dispose();

    private async Task<GenericDatumReader<GenericRecord>> ReaderAsync(int id, CancellationToken ct)
    {
        var answer = JsonNode.Parse(await _http.GetStringAsync(new Uri(registry, $"schemas/ids/{id}"), ct))!;
        var schema = Schema.Parse((string)answer["schema"]!);
        return new GenericDatumReader<GenericRecord>(schema, schema);
    }
}
