using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using Cdc.Core.Entities;
using Cdc.Expressions.Declaration;
using Cdc.Log.Kafka;
using Cdc.Log.Registry;
using Cdc.Tests.Support.Kafka;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>A table with a column of every type and a change of every kind, and what a reader of its topic ends with: the cases of all peers.</summary>
internal static class EveryType
{
    /// <summary>JavaScript has whole numbers up to 2^53, and avsc loses the sign of those below -2^52: moments in microseconds are from 1828 to 2255.</summary>
    private const string Tables = """
        CREATE TABLE sample (id int PRIMARY KEY, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, t text, v varchar, d date, ts timestamp, tz timestamptz, n numeric, n92 numeric(9,2), u uuid, j json, bin bytea, jb jsonb);
        ALTER TABLE sample ALTER COLUMN t SET STORAGE EXTERNAL;
        INSERT INTO sample VALUES
            (1, true, -7, 40000, 5000000000, 0.1, 0.1, 'ä€😀', 'v', '2026-09-18', '2026-09-18 00:00:05.678901', '2026-09-18 02:00:05.678901+02', -12.340, 0.05, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": [1]}', '\x00ff', '{"b": null}'),
            (2, false, 32767, -2147483648, 9007199254740990, -3.4e38, 1e-300, '', repeat('x', 3000), '0044-03-15', '1900-03-15 12:00:00', '0044-03-15 12:00:00.000001+00', 12345678901234567890.5, -9999999.99, '00000000-0000-0000-0000-000000000000', 'null', '', '[]'),
            (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        """;

    private const string Entity = """
        { "entities": [ {
          "name": "sample",
          "source": { "table": "public.sample", "key": "id", "columns": {
            "id": "int4", "b": "bool", "i2": "int2", "i4": "int4", "i8": "int8", "f4": "float4", "f8": "float8", "t": "text", "v": "varchar", "d": "date", "ts": "timestamp", "tz": "timestamptz",
            "n": "numeric", "n92": "numeric", "u": "uuid", "j": "json", "bin": "bytea", "jb": "jsonb" } },
          "engine": { "table": "public.samples", "key": "id", "columns": [ { "name": "number", "type": "integer", "value": "i4" } ] },
        } ] }
        """;

    private const string EngineTable =
        "CREATE TABLE samples (id bigint PRIMARY KEY, number integer, source_generation integer NOT NULL, source_lsn pg_lsn NOT NULL, source_ordinal bigint NOT NULL, source_commit_at timestamptz)";

    public const string Changes = """
        INSERT INTO sample (id, t, n92, i8) VALUES (4, repeat('long ', 1000), 1, 1), (5, 'goes', 2, 2);
        UPDATE sample SET n92 = 7.5, i8 = -4 WHERE id = 4;
        UPDATE sample SET f8 = 'Infinity', f4 = 'NaN', b = NULL WHERE id = 1;
        UPDATE sample SET id = 6 WHERE id = 3;
        DELETE FROM sample WHERE id = 5;
        """;

    /// <summary>The rows as a reader in JavaScript should have them; numerics as text.</summary>
    private const string RowsSql = """
        SELECT jsonb_object_agg(id, jsonb_build_object('id', id, 'b', b, 'i2', i2, 'i4', i4, 'i8', i8, 'f4', CASE WHEN f4 <> 'NaN' THEN f4::float8 END, 'f8', CASE WHEN f8 <> 'Infinity' THEN f8 END, 't', t, 'v', v,
            'd', d - date '1970-01-01', 'ts', (extract(epoch FROM ts) * 1000000)::bigint, 'tz', to_char(tz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'n', n::text, 'n92', n92::text, 'u', u, 'j', j::text, 'bin', encode(bin, 'hex'), 'jb', jb::text))::text FROM sample
        """;

    /// <summary>The table with its first rows, declared, and its engine table.</summary>
    public static async Task PrepareAsync(KafkaPipelineBed bed, string more, CancellationToken ct)
    {
        bed.Bed.Entities = EntityFile.Parse(Entity, "sample");
        await bed.Bed.Source.ExecuteAsync(Tables + more, ct);
        await bed.Bed.Engine.ExecuteAsync(EngineTable, ct);
    }

    /// <summary>Runs the pipeline through all changes and a truncate at the end.</summary>
    /// <param name="more">SQL that adds rows before the pipeline starts, for readers whose numbers are wider.</param>
    /// <returns>Odoo's rows before the truncate, by key.</returns>
    public static async Task<JsonObject> RunAsync(KafkaPipelineBed bed, MockCluster cluster, string more, CancellationToken ct)
    {
        await PrepareAsync(bed, more, ct);
        // Of a truncate the record without a key.
        bed.Kafka = bed.Kafka with
        {
            Truncates = TruncateRecords.Record,
        };
        bed.UseAvro(new RegistryOptions());
        cluster.CreateTopics(bed.Kafka, bed.DataTopics);
        bed.StartBoth();
        await bed.Bed.CaughtUpAsync(ct);
        await bed.Bed.Source.ExecuteAsync(Changes, ct);
        await bed.Bed.CaughtUpAsync(ct);
        var expected = JsonNode.Parse((await bed.Bed.Source.ScalarAsync<string>(RowsSql, ct))!)!.AsObject();
        await bed.Bed.Source.ExecuteAsync("TRUNCATE sample", ct);
        await bed.Bed.CaughtUpAsync(ct);
        return expected;
    }

    /// <param name="records">In the order of their partitions: <c>key</c> and <c>value</c>, null in a tombstone; bytes and decimals as the hexadecimal of their bytes.</param>
    /// <param name="more">Rows that were there before the pipeline started, beside the three of all readers.</param>
    public static void AssertRead(IReadOnlyList<JsonNode> records, JsonObject expected, int more = 0)
    {
        // Rows that were read; inserts, the new row of the key update among them; its old key and the delete, each with a tombstone; a truncate in every partition.
        var kinds = records.CountBy(r => (string?)r["value"]?["op"] ?? "tombstone").ToDictionary();
        Assert.Equal(
            new()
            {
                ["r"] = 3 + more,
                ["c"] = 3,
                ["u"] = 2,
                ["d"] = 2,
                ["tombstone"] = 2,
                ["t"] = TestKafka.Partitions,
            },
            kinds
        );
        var rows = Rows(records);
        Assert.Equal(expected.Select(row => row.Key).Order(), rows.Select(row => row.Key).Order());
        foreach (var (key, row) in expected)
        foreach (var (column, value) in row!.AsObject())
            Assert.True(
                JsonNode.DeepEquals(value, rows[key]![column]),
                $"{column} of {key} is {value?.ToJsonString()} in Odoo, {rows[key]![column]?.ToJsonString()} to the reader"
            );
    }

    /// <summary>The last record of each key, before the truncate.</summary>
    private static JsonObject Rows(IReadOnlyList<JsonNode> records)
    {
        var rows = new JsonObject();
        foreach (var record in records.Where(r => r["value"] is not null))
        {
            var (value, source) = (record["value"]!, record["value"]!["source"]!);
            if ((string?)value["op"] == "t")
                continue;
            var key = record["key"]!["id"]!.ToJsonString();
            if ((string?)value["op"] == "d")
            {
                rows.Remove(key);
                continue;
            }
            var row = (JsonObject)value["after"]!.DeepClone();
            foreach (var unchanged in source["unchanged"]!.AsArray())
            {
                Assert.Equal("__debezium_unavailable_value", (string?)row[(string)unchanged!]);
                row[(string)unchanged!] = rows[key]![(string)unchanged!]!.DeepClone();
            }
            if (row["n"] is { } variable)
                row["n"] = Numeric((string)variable["value"]!, (int)variable["scale"]!);
            if (row["n92"] is { } money)
                row["n92"] = Numeric((string)money!, 2);
            rows[key] = row;
        }
        return rows;
    }

    /// <summary>As PostgreSQL writes it.</summary>
    private static string Numeric(string unscaled, int scale)
    {
        var digits = new BigInteger(Convert.FromHexString(unscaled), isBigEndian: true);
        var text = BigInteger.Abs(digits).ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        return (digits.Sign < 0 ? "-" : "") + text[..^scale] + (scale > 0 ? "." + text[^scale..] : "");
    }
}
