using Cdc.Tests.Integration.Odoo.Contract;
using Cdc.Tests.Support.Odoo;
using Cdc.Tests.Support.Odoo.Faults;
using Cdc.Tests.Support.Postgres;
using Xunit;
using static Cdc.Tests.Integration.Odoo.Contract.OdooWorld;

namespace Cdc.Tests.Integration.Odoo;

/// <summary>What tests can have go wrong in the stand-in, and that it is what it says.</summary>
public sealed class StandInFaultTests(TestServers servers)
{
    private const string Run = "ir.actions.server/run";
    private const long First = 1796000000000001;

    [Fact]
    public async Task A_lost_request_has_no_effect_and_a_lost_answer_has()
    {
        await using var world = await OpenAsync("19", servers);
        var odoo = StandIn(world);
        var card = await world.CardAsync(10);
        var entry = Entry(card, Change(0, First, 1.0, "once"));
        odoo.Faults.Plan(Run, Fault.LoseRequest);
        odoo.Faults.Plan(Run, Fault.DieBeforeCommit);
        foreach (var _ in (int[])[1, 2])
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => world.ApplyAsync(entry));
            Assert.Equal((10.0, 0.0), await world.StateAsync(card));
        }
        odoo.Faults.Plan(Run, Fault.LoseAnswer);
        await Assert.ThrowsAsync<HttpRequestException>(() => world.ApplyAsync(entry));
        Assert.Equal((11.0, (double)First), await world.StateAsync(card));
        Assert.Equal("past", Changes(await world.InfoAsync(entry)));
        Assert.Equal(
            ["request lost", "died before commit", "answer lost", null],
            odoo.Calls.Where(c => c.Kind == Run).Select(c => c.Fault)
        );
        Assert.Equal(0, odoo.Faults.Left);
    }

    [Fact]
    public async Task A_call_delivered_twice_at_once_or_late_is_applied_once()
    {
        await using var world = await OpenAsync("19", servers);
        var faults = StandIn(world).Faults;
        var card = await world.CardAsync();
        var (again, only) = (new LateCall(), new LateCall());
        faults.Plan(Run, Fault.Twice);
        Assert.Equal("past", await SendAsync(0));
        faults.Plan(Run, Fault.TwiceAtOnce);
        Assert.Contains(await SendAsync(1), (string[])["applied", "past"]);
        faults.Plan(Run, Fault.AgainLater(again));
        Assert.Equal("applied", await SendAsync(2));
        faults.Plan(Run, Fault.OnlyLater(only));
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(3));
        Assert.Equal("applied", await SendAsync(3));
        Assert.Equal("applied", await SendAsync(4));
        foreach (var late in (LateCall[])[again, only])
        {
            await late.Made;
            var answer = await late.DeliverAsync();
            Assert.Equal("past", Changes(Info(new OdooReply(answer.Status, answer.Body))));
        }
        Assert.Equal((5.0, (double)(First + 4)), await world.StateAsync(card));

        async Task<string> SendAsync(int number) =>
            Changes(Info(await world.ApplyAsync(Entry(card, Change(number == 0 ? 0 : First + number - 1, First + number, 1.0)))));
    }

    [Fact]
    public async Task A_call_that_is_held_before_its_commit_holds_the_row()
    {
        await using var world = await OpenAsync("19", servers);
        var faults = StandIn(world).Faults;
        var card = await world.CardAsync();
        var (first, second) = (new HeldCall(), new HeldCall());
        faults.Plan(Run, Fault.HoldCommit(first));
        var slow = world.InfoAsync(Entry(card, Change(0, First, 1.0)));
        await first.Arrived;
        faults.Plan(Run, Fault.HoldRequest(second));
        var next = world.InfoAsync(Entry(card, Change(First, First + 1, 1.0)));
        await second.Arrived;
        second.Release();
        await Eventually.True(
            "the second call waits for the row",
            async () => await StandIn(world).Database.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE NOT granted", Ct) > 0,
            ct: Ct
        );
        Assert.False(next.IsCompleted);
        first.Release();
        Assert.Equal(("applied", "applied"), (Changes(await slow), Changes(await next)));
        var held = new HeldCall();
        faults.Plan(Run, Fault.HoldAnswer(held));
        var late = world.InfoAsync(Entry(card, Change(First + 1, First + 2, 1.0)));
        await held.Arrived;
        Assert.Equal((3.0, (double)(First + 2)), await world.StateAsync(card));
        held.Release();
        Assert.Equal("applied", Changes(await late));
    }

    [Fact]
    public async Task A_restart_undoes_the_call_that_runs_and_keeps_the_address()
    {
        await using var world = await OpenAsync("19", servers);
        var odoo = StandIn(world);
        var (card, address) = (await world.CardAsync(), odoo.Address);
        var restarted = new TaskCompletionSource();
        odoo.Faults.Plan(
            Run,
            Fault.InCall(async () =>
            {
                await odoo.RestartAsync(Ct);
                restarted.SetResult();
            })
        );
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => world.ApplyAsync(Entry(card, Change(0, First, 1.0))));
        await restarted.Task;
        Assert.Equal((0.0, 0.0), await world.StateAsync(card));
        await odoo.StopAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => world.ApplyAsync(Entry(card, Change(0, First, 1.0))));
        await odoo.StartAgainAsync(Ct);
        Assert.Equal(address, odoo.Address);
        Assert.Equal("applied", Changes(await world.InfoAsync(Entry(card, Change(0, First, 1.0)))));
    }

    [Fact]
    public async Task Each_status_can_be_answered_in_place_of_Odoo()
    {
        await using var world = await OpenAsync("19", servers);
        var card = await world.CardAsync();
        var number = First;
        Assert.Equal("applied", Changes(await world.InfoAsync(Entry(card, Change(0, number, 1.0)))));
        foreach (
            var (status, begins) in ((int, string)[])
                [(401, "{"), (403, "{"), (404, "<"), (409, "{"), (415, "<"), (422, "{"), (429, "<"), (500, "<"), (503, "<")]
        )
        {
            StandIn(world).Faults.Plan(Run, Fault.Status(status), times: 2, skip: 1);
            Assert.Equal("applied", Changes(await world.InfoAsync(Entry(card, Change(number, ++number, 1.0)))));
            foreach (var _ in (int[])[1, 2])
            {
                var reply = await world.ApplyAsync(Entry(card, Change(number, number + 1, 1.0)));
                Assert.Equal(status, reply.Status);
                Assert.StartsWith(begins, reply.Text, StringComparison.Ordinal);
            }
        }
        // What was answered in its place it has never seen.
        Assert.Equal((10.0, (double)number), await world.StateAsync(card));
    }

    [Theory]
    [InlineData("16 json-rpc")]
    [InlineData("19")]
    public async Task Maintenance_lasts_until_it_is_lifted_and_an_answer_may_have_no_result(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var faults = StandIn(world).Faults;
        var card = await world.CardAsync();
        faults.Always("*", Fault.Maintenance);
        foreach (var _ in (int[])[1, 2, 3])
            Assert.Equal(503, (await world.ApplyAsync(Entry(card, Change(0, First, 1.0)))).Status);
        faults.Lift();
        faults.Plan("ir.actions.server/*", Fault.NoResult);
        var reply = await world.ApplyAsync(Entry(card, Change(0, First, 1.0)));
        Assert.Equal((200, world.Admin.IsJsonRpc ? "{\"jsonrpc\": \"2.0\", \"id\": 1}" : "null"), (reply.Status, reply.Text));
        Assert.Equal((1.0, (double)First), await world.StateAsync(card));
    }

    [Fact]
    public async Task A_key_a_field_and_the_action_can_go_between_two_calls()
    {
        await using var world = await OpenAsync("19", servers);
        var odoo = StandIn(world);
        var card = await world.CardAsync();
        var bot = world.Admin with { Secret = await odoo.CreateKeyAsync(world.Admin.Uid, Ct) };
        odoo.Faults.Plan(Run, Fault.Before(() => odoo.ExpireKeyAsync(bot.Secret, Ct)), skip: 1);
        Assert.Equal("applied", Changes(Info(await world.ApplyAsync(bot, Entry(card, Change(0, First, 1.0))))));
        var expired = await world.ApplyAsync(bot, Entry(card, Change(First, First + 1, 1.0)));
        Assert.Equal((401, ("werkzeug.exceptions.Unauthorized", "Invalid apikey")), (expired.Status, expired.Error));
        odoo.Faults.Plan(Run, Fault.Before(() => world.UnlinkAsync("ir.model.fields", world.Fields[("loyalty.card", "x_cdc_seq")])));
        var missing = await world.ApplyAsync(Entry(card, Change(First, First + 1, 1.0)));
        Assert.Equal(500, missing.Status);
        Assert.StartsWith(
            "UndefinedColumn('column \"x_cdc_seq\" does not exist\\nLINE 1: SELECT id",
            missing.Error.Message,
            StringComparison.Ordinal
        );
        odoo.Faults.Plan(Run, Fault.Before(() => world.UnlinkAsync("ir.actions.server", world.Action)));
        var gone = await world.ApplyAsync(Entry(card, Change(First, First + 1, 1.0)));
        Assert.Equal((404, "odoo.exceptions.MissingError"), (gone.Status, gone.Error.Name));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restored_Odoo_has_what_it_had_under_the_same_or_another_uuid(bool otherUuid)
    {
        await using var world = await OpenAsync("19", servers);
        var odoo = StandIn(world);
        var card = await world.CardAsync();
        await world.InfoAsync(Entry(card, Change(0, First, 1.0, "before")));
        var uuid = await UuidAsync();
        var backup = await odoo.BackupAsync(Ct);
        await world.InfoAsync(Entry(card, Change(First, First + 1, 1.0, "behind")));
        var born = Guid.NewGuid().ToString();
        var lost = (await world.InfoAsync(world.Newborn(born, "lost", Change(0, First, 1.0))))["card"];
        await world.UnlinkAsync("ir.model.fields", world.Fields[("loyalty.history", "x_cdc_ref")]);
        await backup.RestoreAsync(Ct, otherUuid);
        Assert.Equal((1.0, (double)First), await world.StateAsync(card));
        Assert.Empty(await world.SearchAsync("loyalty.card", ["x_cdc_ref", "=", born]));
        Assert.Single(await world.SearchAsync("loyalty.history", ["card_id", "=", card]));
        Assert.Equal(!otherUuid, Equals(uuid, await UuidAsync()));
        // Ids are given out again: another card gets that of the lost one.
        Assert.Equal(lost, await world.CardAsync());
        Assert.Equal("applied", Changes(await world.InfoAsync(Entry(card, Change(First, First + 1, 1.0, "behind")))));

        async Task<object?> UuidAsync() =>
            (await world.Admin.CallAsync("ir.config_parameter", "get_param", null, Ct, null, ("key", "database.uuid"))).Result;
    }

    private static OdooStandIn StandIn(OdooWorld world) => (OdooStandIn)world.Target.Server!;
}
