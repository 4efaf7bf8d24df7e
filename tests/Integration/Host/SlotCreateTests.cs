using System.Text.Json;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Engine.Snapshots;
using Cdc.Tests.Support.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

public sealed class SlotCreateTests(TestServers servers)
{
    private const string Loaded = "SELECT count(*) = 4 AND bool_and(state = 'streaming') FROM cdc.tables";

    [Fact(Timeout = 120_000)]
    public async Task A_run_goes_on_from_the_slot_that_was_created_before_it()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        Assert.Equal(0, (await world.RunAsync("slot", "create", "--yes")).ExitCode);
        Assert.Equal("continuous", await SlotTests.VerdictAsync(world));
        await world.SourceAsync("INSERT INTO loyalty_program (id, name) VALUES (7, 'Created between')");
        await world.RunUntilAsync("SELECT EXISTS (SELECT FROM promotion_programs WHERE id = 7)");
        Assert.Equal(1, await world.EngineAsync<int>("SELECT generation FROM cdc.source"));
    }

    [Theory(Timeout = 120_000)]
    [InlineData("slot-renamed")]
    [InlineData("publication-renamed")]
    public async Task A_gap_of_mere_configuration_ends_when_the_configuration_is_mended(string kind)
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        await world.RunAsync("slot", "create", "--yes");
        var (slot, publication) = (world.Slot, world.Publication);
        if (kind == "slot-renamed")
            world.Slot = "cdc_misspelt";
        else
            world.Publication = "cdc_misspelt";
        var check = await world.RunAsync("check");
        Assert.Contains(kind, check.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("dropped", check.Out, StringComparison.Ordinal);
        Assert.Equal((int)FailureKind.DeclaredGap, (await world.RunAsync("run")).ExitCode);
        Assert.Equal(kind, await world.EngineAsync<string>("SELECT gap_kind FROM cdc.source WHERE state = 'gap'"));
        (world.Slot, world.Publication) = (slot, publication);
        await world.RunUntilAsync(Loaded);
        Assert.Equal("1 streaming", await world.EngineAsync<string>("SELECT concat_ws(' ', generation, state, gap_kind) FROM cdc.source"));
    }

    [Fact(Timeout = 120_000)]
    public async Task A_request_whose_chunks_a_reset_throws_away_is_served_after_it()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        await world.RunAsync("slot", "create", "--yes");
        await world.RunUntilAsync(Loaded);
        await world.EngineAsync(
            """
            INSERT INTO cdc.requests (kind, entity, state) VALUES ('snapshot', 'card', 'accepted');
            INSERT INTO cdc.chunks (entity, generation, kind, request) SELECT 'card', 1, 'snapshot', id FROM cdc.requests
            """
        );
        Assert.Equal(0, (await world.RunAsync("slot", "reset", "--yes")).ExitCode);
        Assert.Equal("open", await world.EngineAsync<string>("SELECT state FROM cdc.requests"));
        await world.RunUntilAsync("SELECT state = 'done' FROM cdc.requests");
    }

    [Fact]
    public async Task A_request_whose_chunks_a_rewritten_table_throws_away_begins_anew()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        await world.EngineAsync(
            """
            INSERT INTO cdc.requests (kind, entity, state) VALUES ('snapshot', 'card', 'accepted'), ('snapshot', 'move', 'accepted');
            INSERT INTO cdc.chunks (entity, generation, kind, request, state, from_key) VALUES
              ('card', 3, 'snapshot', 1, 'done', NULL), ('card', 3, 'snapshot', 1, 'pending', 5), ('move', 3, 'snapshot', 2, 'pending', NULL)
            """
        );
        await using var engine = new NpgsqlConnection(world.EngineConnection);
        await engine.OpenAsync(HostWorld.Ct);
        var rewritten = new TableStateChange
        {
            Entity = 0,
            Position = new ChangePosition(3, new Lsn(9), 0),
            StopReason = null,
            Fingerprint = null,
        };
        await new TableRegistry(world.Entities, NullLogger.Instance).ChangeAsync(engine, rewritten, HostWorld.Ct);

        Assert.Equal(
            "1/card/open 2/move/accepted",
            await world.EngineAsync<string>("SELECT string_agg(concat_ws('/', id, entity, state), ' ' ORDER BY id) FROM cdc.requests")
        );
        // The rows of the first try are not counted to the second.
        Assert.Equal(
            "card/done/- card/pending/- move/pending/2",
            await world.EngineAsync<string>(
                "SELECT string_agg(concat_ws('/', entity, state, COALESCE(request::text, '-')), ' ' ORDER BY entity, state) FROM cdc.chunks"
            )
        );
    }

    [Fact]
    public async Task An_engine_that_follows_a_source_is_refused_and_told_of_the_reset()
    {
        await using var world = await HostWorld.CreateAsync(servers);
        await world.FollowAsync();
        var before = await SlotTests.StateAsync(world);
        var run = await world.RunAsync("slot", "create", "--yes");
        Assert.Equal((int)FailureKind.Refused, run.ExitCode);
        Assert.Contains("cdc slot reset", run.Error, StringComparison.Ordinal);
        Assert.Equal(before, await SlotTests.StateAsync(world));
    }

    [Fact]
    public async Task A_slot_that_this_engine_never_used_is_left_alone()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        await world.CreateSlotAsync();
        var run = await world.RunAsync("slot", "create", "--yes");
        Assert.Equal((int)FailureKind.DeclaredGap, run.ExitCode);
        Assert.Contains("it may feed another engine", run.Error, StringComparison.Ordinal);
        Assert.Equal("not-followed", await SlotTests.VerdictAsync(world));
    }

    [Fact]
    public async Task Without_yes_and_without_a_terminal_nothing_is_created()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        var run = await world.RunAsync("slot", "create");
        Assert.Equal((int)FailureKind.Refused, run.ExitCode);
        Assert.Contains("This will happen:", run.Error, StringComparison.Ordinal);
        Assert.Equal(
            0,
            await world.SourceAsync<long>($"SELECT count(*) FROM pg_publication, pg_replication_slots WHERE slot_name = '{world.Slot}'")
        );
    }

    [Fact]
    public async Task Check_names_what_the_engine_lacks_beside_what_the_source_lacks()
    {
        await using var world = await HostWorld.CreateWholeAsync(servers);
        await world.SourceAsync("ALTER TABLE loyalty_card REPLICA IDENTITY NOTHING");
        await world.EngineAsync("ALTER TABLE loyalty_cards DROP COLUMN company_id");
        var run = await world.RunAsync("check", "--json");
        Assert.Equal((int)FailureKind.Preflight, run.ExitCode);
        var errors = JsonDocument
            .Parse(run.Out)
            .RootElement.GetProperty("findings")
            .EnumerateArray()
            .Where(f => f.GetProperty("isError").GetBoolean());
        Assert.Equal(["replica-identity", "engine-column-missing"], errors.Select(f => f.GetProperty("code").GetString()!));
    }
}
