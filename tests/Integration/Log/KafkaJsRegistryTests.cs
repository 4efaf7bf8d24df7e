using System.Text.Json.Nodes;
using Cdc.Core.Changes;
using Cdc.Log.Avro.Resolution;
using Cdc.Log.Avro.Schemas;
using Cdc.Log.Records;
using Cdc.Log.Registry;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Cdc.Tests.Support.Records;
using Xunit;
using static Cdc.Tests.Support.Records.SampleTable;

namespace Cdc.Tests.Integration.Log;

/// <summary>npm's @kafkajs/confluent-schema-registry reads our messages through our registry, registers a schema there, and we read what it wrote.</summary>
public sealed class KafkaJsRegistryTests(TestServers servers)
{
    private const string Order =
        """{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_JavaScript_client_reads_writes_and_registers_through_the_built_in_registry()
    {
        await using var bed = await PipelineBed.CreateAsync(servers, Ct);
        await using var api = await ApiBed.StartAsync(bed, Ct);
        var registry = new RegistryTable(bed.Engine.DataSource);
        var table = new SampleTable();
        var codec = new AvroRecordCodec(
            table.Entities,
            "odoo",
            "odoo",
            "1.2.3",
            new KnownSchemas(new TableSchemaClient(registry)),
            TimeProvider.System
        );
        var encoder = await codec.EncoderAsync(table.Schema, Ct);
        byte[]?[] row = [.. AllTypes.Select(_ => (byte[]?)null)];
        (row[0], row[6], row[7], row[10], row[16]) = (Int32(17), Float8(12.25), Text("日"), Int64(843_004_805_678_901), [0, 255]);
        var (key, value) = (new System.Buffers.ArrayBufferWriter<byte>(), new System.Buffers.ArrayBufferWriter<byte>());
        encoder.EncodeKey(17, null, key);
        encoder.EncodeValue(table.Change(RowChangeKind.Insert, 17, row), new RecordStamp(1, 1), value);

        var answer = await NodePeer.AskAsync(
            "tests/Integration/Log/peers/registry_peer.cjs",
            new JsonObject
            {
                ["host"] = api.Address.ToString(),
                ["schema"] = Order,
                ["subject"] = "orders-value",
                ["value"] = new JsonObject { ["id"] = 5, ["note"] = "x" },
                ["messages"] = new JsonArray(Convert.ToHexString(key.WrittenSpan), Convert.ToHexString(value.WrittenSpan)),
            },
            Ct,
            "@kafkajs/confluent-schema-registry"
        );

        Assert.Equal("""{"id":17}""", answer["read"]![0]!.ToJsonString());
        var (after, source) = (answer["read"]![1]!["after"]!, answer["read"]![1]!["source"]!);
        Assert.Equal(
            (17, 12.25, "日", 1_789_689_605_678_901L, null, "00ff"),
            ((int)after["id"]!, (double)after["f8"]!, (string?)after["t"], (long)after["ts"]!, after["i8"], (string?)after["bin"])
        );
        Assert.Equal(("sample", 3, 5), ((string?)source["table"], (int)source["generation"]!, (int)source["ordinal"]!));
        var registered = Assert.Single(await registry.VersionsAsync("orders-value", Ct));
        Assert.Equal(((int)answer["id"]!, (int)answer["latest"]!), (registered.Id, registered.Id));
        var written = Convert.FromHexString((string)answer["written"]!);
        Assert.Equal(registered.Id, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(written.AsSpan(1)));
        Assert.Equal(
            [5L, "x"],
            ((AvroRecord)AvroDatum.Read(AvroSchema.Parse(registered.Schema), AvroSchema.Parse(Order), written.AsSpan(5))!).Values
        );
    }
}
