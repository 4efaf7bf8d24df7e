using System.Text.Json.Nodes;
using Cdc.Core.Entities;
using Cdc.Tests.Integration.Pipeline;
using Cdc.Tests.Integration.Pipeline.Histories;
using Cdc.Tests.Support.Api;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>The topic of a table whose key is two columns, for a reader that shares no code with ours, and over kills.</summary>
public sealed class KeyPairTopicsTests(TestServers servers, TestKafka kafka)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>
    /// Each key of a truncate takes the next place behind it: the capture that follows a killed one goes on where that one stopped.
    /// </summary>
    [Fact]
    public async Task Keys_are_records_of_both_columns_and_a_truncate_that_was_killed_ends_each_of_them_once()
    {
        var pipeline = await PipelineBed.CreateAsync(servers, Ct);
        await Tills.DeclareAsync(pipeline, Ct);
        await using var bed = await KafkaPipelineBed.WithTopicsAsync(new KafkaPipelineBed(pipeline, await kafka.OptionsAsync()), Ct);
        await using var api = await ApiBed.StartAsync(pipeline, Ct);
        await pipeline.Source.ExecuteAsync(
            Tills.Setup
                + "INSERT INTO loyalty_program_pos_config_rel SELECT p, c, p, 'n' FROM generate_series(0, 5) p, generate_series(0, 999) c",
            Ct
        );
        await pipeline.FillAsync(Ct, cards: 5);
        // The first page of keys is acknowledged by then, and some of the second one are not.
        var killed = await bed.StartProcessAsync("run", "after-truncated-key:5100", Ct);
        await pipeline.EqualByItselfAsync(Ct);
        await pipeline.Source.ExecuteAsync(
            """
            UPDATE loyalty_program_pos_config_rel SET pos_config_id = 7000 WHERE pos_config_id = 7;
            BEGIN;
            INSERT INTO loyalty_program_pos_config_rel VALUES (9, 9, 9, 'truncated');
            TRUNCATE loyalty_program_pos_config_rel;
            INSERT INTO loyalty_program_pos_config_rel VALUES (2, 2, 2, 'again'), (2147483647, 2147483647, 3, 'new');
            COMMIT;
            UPDATE loyalty_program_pos_config_rel SET loyalty_program_id = 3 WHERE loyalty_program_id = 2;
            """,
            Ct
        );
        Assert.Equal(128 + (int)Signal.Kill, await killed.WaitAsync(Ct));
        await bed.StartProcessAsync("run", null, Ct);
        await pipeline.CaughtUpAsync(Ct);
        await pipeline.AssertEqualAsync(Ct);
        var till = (await bed.AssertReadsOdooAsync(api, Ct))["till"];
        Assert.Equal((2, 0), (till.Rows.Count, till.OwedEnds));
        // What a reading did not see ends as well, unless Odoo has it.
        await pipeline.Engine.ExecuteAsync(
            $"INSERT INTO cdc.owed_deletes (entity, key) VALUES ('till', {KeyPair.Number(3, 2)}), ('till', {KeyPair.Number(4, 4)})",
            Ct
        );
        await bed.NothingIsOwedAsync(Ct);
        till = (await bed.AssertReadsOdooAsync(api, Ct))["till"];
        Assert.Equal((2, 1), (till.Rows.Count, till.OwedEnds));
        var schema = await pipeline.Engine.ScalarAsync<string>(
            "SELECT s.schema FROM cdc.schemas s JOIN cdc.schema_versions v ON v.schema_id = s.id WHERE v.subject LIKE '%pos_config_rel-key'",
            Ct
        );
        Assert.Equal(
            ["loyalty_program_id", "pos_config_id"],
            JsonNode.Parse(schema!)!["fields"]!.AsArray().Select(f => f!["name"]!.GetValue<string>())
        );
    }
}
