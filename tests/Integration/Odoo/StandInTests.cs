using Cdc.Tests.Integration.Odoo.Contract;
using Cdc.Tests.Support.Odoo;
using Cdc.Tests.Support.Pipeline;
using Cdc.Tests.Support.Postgres;
using Cdc.Workload;
using Xunit;
using static Cdc.Tests.Integration.Odoo.Contract.OdooWorld;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>What a real Odoo does too, and tests can only have a stand-in do.</summary>
public sealed class StandInTests(TestServers servers)
{
    private const long First = 1796000000000001;

    [Theory]
    [InlineData("16 json-rpc", "sequence-16")]
    [InlineData("19", "sequence-19")]
    public async Task After_five_tries_Odoo_gives_up_as_recorded(string target, string recorded)
    {
        await using var world = await OpenAsync(target, servers);
        var replay = new Replay(world, RecordedExchange.Read(recorded)) { Card = await world.CardAsync() };
        await world.SetAsync(replay.Card, 0, First + 3);
        // As if somebody else updated the row all the time.
        await StandIn(world)
            .Database.ExecuteAsync(
                """
                CREATE SEQUENCE public.tries;
                CREATE FUNCTION public.busy() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
                    PERFORM nextval('public.tries');
                    RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'could not serialize access due to concurrent update'; END$$;
                CREATE TRIGGER busy BEFORE UPDATE ON loyalty_card FOR EACH ROW EXECUTE FUNCTION public.busy()
                """,
                Ct
            );
        replay.Names.Add(("\"after\": 1796000000000006", $"\"after\": {First + 3}"));
        await replay.SameAsync("Five tries were not enough (somebody else updates the row all the time)", world.Action);
        Assert.Equal(5L, await StandIn(world).Database.ScalarAsync<long>("SELECT last_value FROM public.tries", Ct));
    }

    [Fact]
    public async Task Who_may_not_and_whose_key_has_expired_is_told_so_as_recorded()
    {
        await using var world = await OpenAsync("19", servers);
        var odoo = StandIn(world);
        var bot = await world.UserAsync(1);
        var recorded = RecordedExchange.Read("json2-19");
        var create = recorded["create as bot"];
        bot = bot with { IsJsonRpc = false, Secret = await odoo.CreateKeyAsync(bot.Uid, Ct) };
        var refused = await bot.SendAsync("POST", create.Path, create.Body, Ct);
        Assert.Equal((create.Status, Canonical.Of(create.Answer)), (refused.Status, Canonical.Of(refused.Text)));
        bot = bot with { Secret = await odoo.CreateKeyAsync(bot.Uid, Ct, DateTimeOffset.UtcNow.AddDays(-1)) };
        var expired = await bot.SendAsync("POST", recorded["expired key"].Path, "{\"domain\": []}", Ct);
        Assert.Equal((401, Canonical.Of(recorded["expired key"].Answer)), (expired.Status, Canonical.Of(expired.Text)));
        var lost = await (world.Admin with { Database = "odoo19b" }).SendAsync(
            "POST",
            "/json/2/loyalty.card/search_count",
            "{\"domain\": []}",
            Ct
        );
        Assert.Equal(Canonical.Of(recorded["header of a database that the filter leaves out"].Answer), Canonical.Of(lost.Text));
    }

    [Theory]
    [InlineData("16 json-rpc")]
    [InlineData("19")]
    public async Task A_rule_of_somebodys_module_refuses_a_card_and_all_of_its_call(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var (first, second) = (await world.CardAsync(1), await world.CardAsync(2));
        StandIn(world).Refuse("loyalty.card", "id", $"{second}", "This card is under review.");
        PyDict[] both = [Entry(first, Change(0, First, 1.0)), Entry(second, Change(0, First, 1.0))];
        var refused = await world.ApplyAsync(both);
        Assert.Equal(("odoo.exceptions.ValidationError", "This card is under review."), refused.Error);
        Assert.Equal(world.Admin.IsJsonRpc ? 200 : 422, refused.Status);
        Assert.Equal((1.0, 0.0), await world.StateAsync(first));
        StandIn(world).Accept("loyalty.card", "id", $"{second}");
        Assert.False((await world.ApplyAsync(both)).IsError);
    }

    [Fact]
    public async Task Times_of_an_import_are_those_of_the_context_or_of_the_user()
    {
        await using var world = await OpenAsync("19", servers);
        await world.CreateAsync(
            "ir.model.fields",
            new PyDict
            {
                ["name"] = "x_when",
                ["model_id"] = world.CardModel,
                ["field_description"] = "When",
                ["ttype"] = "datetime",
                ["state"] = "manual",
            }
        );
        var card = await world.CardAsync();
        Assert.Equal("2026-01-15 09:00:00", await LoadAsync(null));
        Assert.Equal("2026-01-15 10:00:00", await LoadAsync(new PyDict { ["tz"] = "UTC" }));

        async Task<object?> LoadAsync(PyDict? context)
        {
            List<object?> row = [$"{card}", "2026-01-15 10:00:00"];
            await world.Admin.CallAsync(
                "loyalty.card",
                "load",
                null,
                Ct,
                context,
                ("fields", new List<object?> { ".id", "x_when" }),
                ("data", new List<object?> { row })
            );
            return ((PyDict)Assert.Single(await world.ReadAsync("loyalty.card", [card], "x_when"))!)["x_when"];
        }
    }

    [Theory]
    [InlineData("import os", true)]
    [InlineData("with env.cr.savepoint():\n    pass", true)]
    [InlineData("action = 1", false)]
    public async Task A_body_that_it_does_not_know_is_never_taken_for_one_that_it_knows(string code, bool isForbidden)
    {
        await using var world = await OpenAsync("19", servers);
        var values = new PyDict
        {
            ["name"] = "other",
            ["model_id"] = world.CardModel,
            ["state"] = "code",
            ["code"] = code,
        };
        var reply = await world.Admin.CallAsync("ir.actions.server", "create", null, Ct, null, ("vals_list", new List<object?> { values }));
        if (isForbidden)
        {
            Assert.Equal((422, "odoo.exceptions.ValidationError"), (reply.Status, reply.Error.Name));
            return;
        }
        var run = await world.Admin.CallAsync("ir.actions.server", "run", [(long)((List<object?>)reply.Result!)[0]!], Ct);
        Assert.Contains("knows no such body", run.Error.Message, StringComparison.Ordinal);
    }

    /// <summary>The order and number of row events that real Odoo's WAL had.</summary>
    [Theory]
    [InlineData("16 json-rpc", "")]
    [InlineData("18 json-rpc", "I loyalty_history,")]
    [InlineData("19", "I loyalty_history,")]
    public async Task A_call_writes_the_rows_that_a_real_one_writes(string target, string movement)
    {
        await using var world = await OpenAsync(target, servers);
        var database = StandIn(world).Database;
        var card = await world.CardAsync();
        await database.ExecuteAsync(
            """
            CREATE TABLE seen (n serial, what text);
            CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO seen (what) VALUES (left(TG_OP, 1) || ' ' || TG_TABLE_NAME); RETURN NULL; END$$;
            CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON loyalty_card FOR EACH ROW EXECUTE FUNCTION see();
            CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON ir_model_data FOR EACH ROW EXECUTE FUNCTION see();
            """
                + (
                    world.HasHistory
                        ? "CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON loyalty_history FOR EACH ROW EXECUTE FUNCTION see();"
                        : ""
                ),
            Ct
        );
        Assert.Equal(movement + "U loyalty_card", await SeenAsync(Entry(card, Change(0, First, 1.0, "t"))));
        Assert.Equal(
            movement + movement + "U loyalty_card",
            await SeenAsync(Entry(card, Change(First, First + 1, 1.0, "t"), Change(First + 1, First + 2, 2.0, "t")))
        );
        Assert.Equal("U loyalty_card", await SeenAsync(Entry(card, Change(First + 2, First + 3, 0))));
        Assert.Equal("", await SeenAsync(Entry(card, Change(First, First + 1, 1.0), Change(First + 7, First + 8, 1.0))));
        Assert.Equal(
            $"I ir_model_data,I loyalty_card,{(world.Major == 16 ? "U loyalty_card," : "")}{movement}U loyalty_card",
            await SeenAsync(world.Newborn(Guid.NewGuid().ToString(), world.Name("born"), Change(0, First, 25, "start")))
        );
        // By whom, and when: of the transaction.
        Assert.Equal(
            "2 t",
            await database.ScalarAsync<string>(
                $"SELECT concat_ws(' ', write_uid, write_date > create_date) FROM loyalty_card WHERE id = {card}",
                Ct
            )
        );

        async Task<string?> SeenAsync(PyDict entry)
        {
            await world.InfoAsync(entry);
            return await database.ScalarAsync<string>(
                "WITH gone AS (DELETE FROM seen RETURNING *) SELECT coalesce(string_agg(what, ',' ORDER BY n), '') FROM gone",
                Ct
            );
        }
    }

    [Theory]
    [InlineData(OdooVersion.Odoo16)]
    [InlineData(OdooVersion.Odoo19)]
    public async Task A_pipeline_follows_the_database_of_a_stand_in(OdooVersion version)
    {
        await using var bed = await PipelineBed.CreateAsync(servers, version, Ct);
        await using var odoo = await OdooStandIn.StartOverAsync(bed.Source, (int)version, Ct);
        await using var world = await OpenOverAsync(odoo);
        bed.StartInProcess();
        await bed.CaughtUpAsync(Ct);
        var born = await world.InfoAsync(world.Newborn(Guid.NewGuid().ToString(), "BORN", Change(0, First, 25, "start")));
        await world.InfoAsync(Entry((long)born["card"]!, Change(First, First + 1, -5, "spent")));
        await bed.CaughtUpAsync(Ct);
        await bed.AssertEqualAsync(Ct);
        Assert.Equal("20.00", await bed.Engine.ScalarAsync<string>("SELECT points::text FROM loyalty_cards WHERE code = 'BORN'", Ct));
    }

    private static OdooStandIn StandIn(OdooWorld world) => (OdooStandIn)world.Target.Server!;
}
