using Cdc.Core.Entities;
using Cdc.Expressions.Declaration;
using Cdc.Log.Records;
using Cdc.Log.Registry;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Confluent.Kafka;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>
/// Debezium's JDBC sink in a real Kafka Connect worker, over our topics and our registry: are its tables Odoo's? Needs a Kafka that Connect
/// can talk to, so not the old one that tests start.
/// </summary>
[Trait("Needs", "CDC_CONNECT_HOME")]
public sealed class ConnectTests(TestServers servers, TestKafka kafka)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Columns as both sides have them; numbers without precision are double precision to a sink.</summary>
    private static readonly Dictionary<string, string> Delivered = new()
    {
        ["loyalty_program"] =
            "id, name, active, company_id, program_type, "
            + "CASE date_to WHEN 'infinity' THEN '5874897-12-31' ELSE date_to END AS date_to",
        ["loyalty_card"] = "id, program_id, partner_id, company_id, code, points, create_date, write_date",
        ["loyalty_point_move"] =
            "id, loyalty_card_id, membership_product_id, gain_date, expiration_date, initial_point, remaining_point, state, origin, create_date",
        ["loyalty_point_history"] =
            "id, loyalty_card_id, point_move_id, points_amount, points_balance, transaction_time, origin, create_date",
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Debeziums_JDBC_sink_ends_with_Odoos_rows_also_unwrapped_and_after_a_replay_with_three_tasks()
    {
        await using var bed = await CreateAsync();
        bed.Bed.Entities = WithDates();
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await bed.Bed.FillAsync(Ct);
        bed.UseAvro(new RegistryOptions());
        bed.StartBoth();
        await bed.Bed.CaughtUpAsync(Ct);
        await using var sink = await SinkAsync();
        await using (var worker = await StartAsync(bed, api, sink, []))
        {
            await EqualAsync(bed, worker, sink, Delivered);
            await bed.Bed.Source.ExecuteAsync(
                """
                INSERT INTO loyalty_program (id, name, date_to) VALUES (2, 'none', NULL), (3, 'old', '0044-03-15 BC'), (4, 'far', '9999-12-31'), (5, 'never', 'infinity'), (6, 'ever', '-infinity');
                INSERT INTO loyalty_card (id, program_id, code, points) VALUES (901, 1, 'N1', 1.1), (902, 2, NULL, NULL), (903, 3, '日本 😀', 'NaN'), (910, 1, 'moves', 1), (920, 1, 'too', 2);
                UPDATE loyalty_program SET active = NOT active, date_to = date_to + 1 WHERE id <= 4;
                UPDATE loyalty_card SET points = 'Infinity', partner_id = NULL, write_date = '2026-03-01 00:00:00.000001' WHERE id % 3 = 0;
                UPDATE loyalty_card SET id = id + 100000 WHERE id IN (910, 920);
                BEGIN; DELETE FROM loyalty_card WHERE id = 7; INSERT INTO loyalty_card (id, program_id, code) VALUES (7, 1, 'again'); COMMIT;
                BEGIN; DELETE FROM loyalty_card WHERE id < 9; ROLLBACK;
                DELETE FROM loyalty_card WHERE id = 8;
                TRUNCATE loyalty_point_history;
                INSERT INTO loyalty_point_history (id, loyalty_card_id, points_amount, transaction_time) SELECT i, 7, 5e-324, '2026-03-01 00:00:00.000001' FROM generate_series(3, 20) i;
                """,
                Ct
            );
            await EqualAsync(bed, worker, sink, Delivered);
            await worker.StopAsync(Ct);
        }
        Dictionary<string, string> replay = new() { ["tasks.max"] = "3", ["consumer.override.group.id"] = bed.Kafka.Group + "-replay" };
        await using (var worker = await StartAsync(bed, api, sink, replay))
        {
            await ReadAsync(bed, worker, replay["consumer.override.group.id"]);
            await EqualAsync(bed, worker, sink, Delivered);
        }
        await using var flat = await SinkAsync();
        Dictionary<string, string> unwrap = new()
        {
            ["consumer.override.group.id"] = bed.Kafka.Group + "-unwrapped",
            ["transforms"] = "unwrap",
            ["transforms.unwrap.type"] = "io.debezium.transforms.ExtractNewRecordState",
            ["transforms.unwrap.delete.tombstone.handling.mode"] = "tombstone",
        };
        await using (var worker = await StartAsync(bed, api, flat, unwrap))
            await EqualAsync(bed, worker, flat, Delivered);
    }

    [Theory]
    [InlineData(TimestampUnit.Micros)]
    [InlineData(TimestampUnit.Millis)]
    public async Task Every_type_arrives_and_a_large_value_that_was_left_unchanged_too_where_old_rows_are_whole(TimestampUnit timestamps)
    {
        await using var bed = await CreateAsync();
        bed.Kafka = bed.Kafka with { Timestamps = timestamps };
        await using var api = await ApiBed.StartAsync(bed.Bed, Ct);
        await EveryType.PrepareAsync(
            bed,
            """
            ALTER TABLE sample REPLICA IDENTITY FULL;
            INSERT INTO sample (id, d, ts, tz) VALUES (8, 'infinity', 'infinity', 'infinity'), (9, '-infinity', '-infinity', '-infinity');
            """,
            Ct
        );
        await bed.CreateTopicsAsync(bed.DataTopics, Ct);
        bed.UseAvro(new RegistryOptions());
        bed.StartBoth();
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.Source.ExecuteAsync(EveryType.Changes, Ct);
        await using var sink = await SinkAsync();
        await using var worker = await StartAsync(bed, api, sink, []);
        var unit = timestamps == TimestampUnit.Micros ? "microseconds" : "milliseconds";
        var columns =
            "id, b, i2, i4, i8, f4, f8, t, v, CASE d WHEN 'infinity' THEN '5874897-12-31' ELSE d END AS d, "
            + $"date_trunc('{unit}', CASE ts WHEN 'infinity' THEN '9999-12-31 23:59:59.999999' WHEN '-infinity' THEN '0001-01-01' ELSE ts END) AS ts, "
            + "tz, n::float8 AS n, n92, u::text AS u, j::text AS j, bin, jb::text AS jb";
        await EqualAsync(bed, worker, sink, new() { ["sample"] = columns });
    }

    private async Task<KafkaPipelineBed> CreateAsync()
    {
        if (!TestKafka.IsModern)
            throw new MissingPrerequisiteException(
                "Kafka Connect needs a newer broker than the tests' own: name one in CDC_TEST_KAFKA, or its folder in CDC_KAFKA_HOME."
            );
        return await KafkaPipelineBed.CreateAsync(servers, kafka, Ct);
    }

    /// <summary>The delivered declaration with a column of type date, which real Odoo's tables have.</summary>
    private static EntitySet WithDates()
    {
        const string Before = "\"program_type\": \"varchar\",";
        var text = File.ReadAllText(SourceTree.PathOf("schemas/entities.json"));
        Assert.Contains(Before, text, StringComparison.Ordinal);
        return EntityFile.Parse(text.Replace(Before, Before + " \"date_to\": \"date\",", StringComparison.Ordinal), "entities.json");
    }

    private Task<TestDatabase> SinkAsync() => servers.Engine.CreateDatabaseAsync("sink", ct: Ct);

    private static Task<ConnectWorker> StartAsync(KafkaPipelineBed bed, ApiBed api, TestDatabase sink, Dictionary<string, string> more) =>
        ConnectWorker.StartAsync(
            bed.Kafka,
            $@"{bed.Kafka.TopicPrefix}\.public\..*",
            api.Address,
            sink.ConnectionString,
            new Dictionary<string, string> { ["consumer.override.group.id"] = bed.Kafka.Group + "-sink" }
                .Concat(more)
                .GroupBy(p => p.Key)
                .ToDictionary(g => g.Key, g => g.Last().Value),
            Ct
        );

    /// <summary>Ends when the sink's tables have the rows of Odoo's.</summary>
    private static async Task EqualAsync(KafkaPipelineBed bed, ConnectWorker worker, TestDatabase sink, Dictionary<string, string> tables)
    {
        var last = "";
        await Eventually.True(
            "the sink has Odoo's rows",
            async () =>
            {
                if (await worker.FailureAsync(Ct) is { } failure)
                    Assert.Fail(failure);
                last = "";
                foreach (var (table, columns) in tables)
                    last += await DifferenceAsync(bed, sink, table, columns);
                return last.Length == 0;
            },
            () => Task.FromResult(last),
            Patience,
            Ct
        );
    }

    private static async Task<string> DifferenceAsync(KafkaPipelineBed bed, TestDatabase sink, string table, string columns)
    {
        var expected = await bed.Bed.Source.RowsAsync($"SELECT {columns} FROM {table} ORDER BY id", "NULL", Ct);
        try
        {
            var there = await sink.RowsAsync($"SELECT {columns} FROM {bed.Kafka.TopicPrefix}_public_{table} ORDER BY id", "NULL", Ct);
            var (missing, more) = (expected.Except(there).ToList(), there.Except(expected).ToList());
            return missing.Count + more.Count == 0 && expected.Count == there.Count
                ? ""
                : $"{table}: {expected.Count} rows in Odoo, {there.Count} in the sink; such as {missing.FirstOrDefault()} and {more.FirstOrDefault()}\n";
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn)
        {
            return $"{table}: {e.MessageText}\n";
        }
    }

    /// <summary>Ends when the group has read all topics to their ends.</summary>
    private static Task ReadAsync(KafkaPipelineBed bed, ConnectWorker worker, string group)
    {
        var (ends, last) = (EndsOf(bed), "");
        return Eventually.True(
            "the sink has read everything again",
            async () =>
            {
                if (await worker.FailureAsync(Ct) is { } failure)
                    Assert.Fail(failure);
                using var consumer = bed.Consumer(group);
                var read = consumer.Committed(ends.Keys, TopicRecords.Patience).ToDictionary(c => c.TopicPartition, c => c.Offset.Value);
                last = string.Join(' ', ends.Where(e => read[e.Key] < e.Value).Select(e => $"{e.Key}: {read[e.Key]} of {e.Value}"));
                return last.Length == 0;
            },
            () => Task.FromResult(last),
            Patience,
            Ct
        );
    }

    /// <summary>
    /// Of each partition with records the offset behind its last one. Ends of transactions lie behind it: one, or several of transactions
    /// that overlapped.
    /// </summary>
    private static Dictionary<TopicPartition, long> EndsOf(KafkaPipelineBed bed) =>
        bed.Records().GroupBy(r => r.Partition).ToDictionary(p => p.Key, p => p.Max(r => r.Offset!.Value) + 1);
}
