using System.Text.Json;
using System.Text.Json.Nodes;
using Cdc.Core.Changes;
using Cdc.Log.Avro.Resolution;
using Cdc.Log.Avro.Schemas;
using Cdc.Log.Records;
using Cdc.Tests.Support.Processes;
using Cdc.Tests.Support.Records;
using Xunit;
using static Cdc.Tests.Support.Records.SampleTable;

namespace Cdc.Tests.Integration.Log;

/// <summary>Avro's own implementation for Python (Debian's python3-avro) reads what we wrote, and we read what it wrote.</summary>
public sealed class PythonAvroTests
{
    private const long Moment = 843_004_805_678_901; // 2026-09-18T00:00:05.678901Z
    private static readonly Guid Id = new("6f1c1a52-7f3b-4a0e-9c55-0d3f7e6b2a10");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Python_reads_every_type_that_we_write_and_we_read_what_it_writes_again()
    {
        var table = new SampleTable();
        byte[]?[] full =
        [
            Int32(17),
            [1],
            Int16(-7),
            Int32(123_456),
            Int64(-9_000_000_000),
            Float4(0.5f),
            Float8(12.25),
            Text("Käse/日/😀"),
            Text("code"),
            Int32(9_757),
            Int64(Moment),
            Int64(Moment),
            Numeric(-1_234_567, 3),
            Numeric(1_250, 2),
            Id.ToByteArray(bigEndian: true),
            Text("{\"a\": [1]}"),
            [0, 255, 16],
            [1, .. Text("{}")],
        ];
        byte[]?[] empty = [Int32(18), .. Enumerable.Repeat<byte[]?>(null, full.Length - 1)];
        byte[]?[] partial = [.. full];
        (partial[7], partial[12]) = (Unchanged, Unchanged);
        RowChange[] changes =
        [
            table.Change(RowChangeKind.Insert, 17, full),
            table.Change(RowChangeKind.Update, 17, full, empty),
            table.Change(RowChangeKind.Insert, 18, empty),
            table.Change(RowChangeKind.Update, 17, partial),
            table.Change(RowChangeKind.Delete, 17, null),
            table.Change(RowChangeKind.Delete, 17, null, full),
            table.Change(RowChangeKind.Rekey, 17, full),
            table.Change(RowChangeKind.Read, 17, full),
        ];
        var records = new List<(byte[] Key, byte[] Value)>();
        foreach (var change in changes)
            records.Add(await table.EncodeAsync(change, new RecordStamp(2, 9)));
        var schema = (await table.Schemas.FindAsync(2, Ct))!;

        var answers = await AskAsync([
            .. records.Select(r => new JsonObject { ["schema"] = schema, ["hex"] = Convert.ToHexString(r.Value.AsSpan(5)) }),
        ]);

        var after = answers[0]!["shown"]!["after"]!;
        Assert.Equal(
            """{"id":17,"b":true,"i2":-7,"i4":123456,"i8":-9000000000,"f4":"0.5","f8":"12.25","t":"Käse/日/😀","v":"code","d":20714,"ts":"2026-09-18T00:00:05.678901+00:00","tz":"2026-09-18T00:00:05.678901Z","n":{"scale":3,"value":"ed2979"},"n92":"12.50","u":"6f1c1a52-7f3b-4a0e-9c55-0d3f7e6b2a10","j":"{\"a\": [1]}","bin":"00ff10","jb":"{}"}""",
            after
                .ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })
                .Replace("\\uD83D\\uDE00", "😀", StringComparison.Ordinal)
        );
        var source = answers[0]!["shown"]!["source"]!;
        Assert.Equal(
            ("odoo", "sample", "false", 0x16_B374_D848L, 4_294_967_373L, 3, 5, 2, 9),
            (
                (string?)source["name"],
                (string?)source["table"],
                (string?)source["snapshot"],
                (long)source["lsn"]!,
                (long)source["txId"]!,
                (int)source["generation"]!,
                (int)source["ordinal"]!,
                (int)source["session"]!,
                (int)source["session_sequence"]!
            )
        );
        Assert.Equal(["c", "u", "c", "u", "d", "d", "c", "r"], answers.Select(a => (string?)a!["shown"]!["op"]));
        Assert.All(full.Skip(1), (_, i) => Assert.Null(answers[2]!["shown"]!["after"]![AllTypes[i + 1].Name]));
        Assert.Equal(
            ("__debezium_unavailable_value", null, "[\"t\",\"n\"]"),
            (
                (string?)answers[3]!["shown"]!["after"]!["t"],
                answers[3]!["shown"]!["after"]!["n"],
                answers[3]!["shown"]!["source"]!["unchanged"]!.ToJsonString()
            )
        );
        Assert.Equal(
            (17, null, "code"),
            (
                (int)answers[4]!["shown"]!["before"]!["id"]!,
                answers[4]!["shown"]!["before"]!["v"],
                (string?)answers[5]!["shown"]!["before"]!["v"]
            )
        );
        Assert.Equal(
            (true, "incremental"),
            ((bool)answers[6]!["shown"]!["source"]!["rekey"]!, (string?)answers[7]!["shown"]!["source"]!["snapshot"])
        );

        for (var i = 0; i < changes.Length; i++)
        {
            byte[] again = [.. records[i].Value[..5], .. Convert.FromHexString((string)answers[i]!["hex"]!)];
            var (ours, theirs) = (
                (RowChange)(await table.DecodeAsync(records[i].Key, records[i].Value)).Change,
                (RowChange)(await table.DecodeAsync(records[i].Key, again)).Change
            );
            Assert.Equal(
                (ours.Kind, ours.Key, ours.Position, ours.CommitMicros, ours.Transaction),
                (theirs.Kind, theirs.Key, theirs.Position, theirs.CommitMicros, theirs.Transaction)
            );
            Assert.True(ours.Image.IsEmpty ? theirs.Image.IsEmpty : ours.Image.Span.SequenceEqual(theirs.Image.Span), $"record {i}");
        }
    }

    [Theory]
    [InlineData(int.MaxValue, long.MaxValue, 2_145_042_905, "9999-12-31T23:59:59.999999+00:00")]
    [InlineData(int.MinValue, long.MinValue, -2_440_588, "0001-01-01T00:00:00+00:00")]
    public async Task Python_reads_an_infinite_date_and_moment_as_ends_that_it_has(int days, long micros, int day, string moment)
    {
        var table = new SampleTable();
        var row = AllTypes.Select(c =>
            c.Name switch
            {
                "id" => Int32(17),
                "d" => Int32(days),
                "ts" => Int64(micros),
                _ => null,
            }
        );
        var (_, value) = await table.EncodeAsync(table.Change(RowChangeKind.Insert, 17, [.. row]));
        var schema = (await table.Schemas.FindAsync(2, Ct))!;
        var answers = await AskAsync([new JsonObject { ["schema"] = schema, ["hex"] = Convert.ToHexString(value.AsSpan(5)) }]);
        var after = answers[0]!["shown"]!["after"]!;
        Assert.Equal((day, moment), ((int)after["d"]!, (string?)after["ts"]));
    }

    [Fact]
    public async Task What_Python_wrote_with_an_older_schema_is_read_as_the_newer_one()
    {
        const string older =
            """{"type":"record","name":"r","fields":[{"name":"a","type":"int"},{"name":"old","type":["string","null"]},{"name":"gone","type":{"type":"array","items":"double"}},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}}]}""";
        const string newer =
            """{"type":"record","name":"r","fields":[{"name":"e","type":{"type":"enum","name":"E","symbols":["X"],"default":"X"}},{"name":"new","aliases":["old"],"type":["null","string"]},{"name":"a","type":"long"},{"name":"added","type":"string","default":"-"}]}""";
        var answers = await AskAsync([
            new JsonObject
            {
                ["schema"] = older,
                ["value"] = JsonNode.Parse("""{"a": -70000, "old": "text", "gone": [1.5, 2.5], "e": "Y"}"""),
            },
        ]);
        var read = (AvroRecord)
            AvroDatum.Read(AvroSchema.Parse(older), AvroSchema.Parse(newer), Convert.FromHexString((string)answers[0]!["hex"]!))!;
        Assert.Equal(["X", "text", -70_000L, "-"], read.Values);
    }

    private static async Task<JsonArray> AskAsync(JsonArray requests) =>
        (JsonArray)await PythonPeer.AskAsync("tests/Integration/Log/peers/avro_peer.py", requests, Ct, "avro");
}
