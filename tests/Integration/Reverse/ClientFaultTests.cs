using Cdc.Odoo;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;
using Cdc.Odoo.Sequence;
using Cdc.Tests.Integration.Odoo.Contract;
using Cdc.Tests.Support.Odoo;
using Cdc.Tests.Support.Odoo.Faults;
using Cdc.Tests.Support.Odoo.Http;
using Cdc.Tests.Support.Odoo.Python;
using Cdc.Tests.Support.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using static Cdc.Tests.Integration.Odoo.Contract.OdooWorld;
using OdooClient = Cdc.Odoo.OdooClient;

namespace Cdc.Tests.Integration.Reverse;

/// <summary>What our client makes of an Odoo of which something is wrong, over both protocols.</summary>
public sealed class ClientFaultTests(TestServers servers)
{
    private const string Run = "ir.actions.server/run";
    private const long First = 1796000000000001;

    [Theory]
    [InlineData("16 json-rpc")]
    [InlineData("19 json-rpc")]
    [InlineData("19")]
    public async Task A_call_that_failed_on_its_way_is_made_again_and_done_once(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var odoo = StandIn(world);
        var card = await world.CardAsync(10);
        var number = First - 1;
        var restarted = new TaskCompletionSource();
        var restart = Fault.InCall(async () =>
        {
            await odoo.RestartAsync(Ct);
            restarted.SetResult();
        });
        foreach (
            var (fault, mayBeApplied) in ((Fault, bool)[])
                [
                    (Fault.LoseRequest, true),
                    (Fault.DieBeforeCommit, true),
                    (Fault.LoseAnswer, true),
                    (Fault.NoResult, true),
                    (Fault.Maintenance, true),
                    (Fault.Status(429), false),
                    (Fault.Status(500), true),
                    (restart, true),
                ]
        )
        {
            // Each its own: after some failures in a row a client lets Odoo rest.
            using var client = await ConnectAsync(world);
            var change = new SequenceChange(number < First ? 0 : number, number + 1) { Delta = 1 };
            odoo.Faults.Plan(Run, fault);
            var failure = await FailureAsync(() => ApplyAsync(client, world, card, change));
            Assert.True(
                failure.Class == FailureClass.Transient || fault == Fault.NoResult && failure.Code == "odoo-action",
                $"{fault.Name}: {failure.Class} {failure.Code}"
            );
            Assert.True(mayBeApplied == failure.MayBeApplied, $"{fault.Name}: {failure.MayBeApplied}");
            if (fault == restart)
                await restarted.Task;
            Assert.Contains(
                await ApplyAsync(client, world, card, change),
                (SequenceChangeState[])[SequenceChangeState.Applied, SequenceChangeState.Past]
            );
            number++;
            Assert.Equal((10.0 + number - First + 1, (double)number), await world.StateAsync(card));
        }
        Assert.Equal(0, odoo.Faults.Left);
    }

    [Theory]
    [InlineData(401, FailureClass.Systemic, "odoo-key")]
    [InlineData(403, FailureClass.Systemic, "odoo-access")]
    [InlineData(404, FailureClass.Systemic, "odoo-address")]
    [InlineData(409, FailureClass.Transient, "odoo-busy")]
    [InlineData(415, FailureClass.Systemic, "odoo-call")]
    [InlineData(422, FailureClass.Refused, "odoo-refused")]
    [InlineData(429, FailureClass.Transient, "odoo-away")]
    [InlineData(500, FailureClass.Transient, "odoo-away")]
    [InlineData(503, FailureClass.Transient, "odoo-away")]
    public async Task A_status_in_place_of_Odoo_s_says_what_follows(int status, FailureClass @class, string code)
    {
        await using var world = await OpenAsync("19", servers);
        using var client = await ConnectAsync(world);
        var card = await world.CardAsync();
        StandIn(world).Faults.Plan(Run, Fault.Status(status));
        var failure = await FailureAsync(() => ApplyAsync(client, world, card, new(0, First) { Delta = 1 }));
        Assert.Equal((@class, code), (failure.Class, failure.Code));
        Assert.NotEmpty(failure.Remedy);
        Assert.Equal((0.0, 0.0), await world.StateAsync(card));
    }

    [Theory]
    [InlineData("18 json-rpc")]
    [InlineData("19")]
    public async Task A_key_that_ends_a_field_and_an_action_that_are_removed_stop_everything(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var odoo = StandIn(world);
        var card = await world.CardAsync();
        var key = await odoo.CreateKeyAsync(world.Admin.Uid, Ct);
        using (var bot = await ConnectAsync(world, key))
        {
            Assert.Equal(SequenceChangeState.Applied, await ApplyAsync(bot, world, card, new(0, First) { Delta = 1 }));
            await odoo.ExpireKeyAsync(key, Ct);
            var ended = await FailureAsync(() => ApplyAsync(bot, world, card, new(First, First + 1) { Delta = 1 }));
            Assert.Equal((FailureClass.Systemic, "odoo-key"), (ended.Class, ended.Code));
        }
        using var client = await ConnectAsync(world);
        await world.UnlinkAsync("ir.model.fields", world.Fields[("loyalty.card", "x_cdc_seq")]);
        var noField = await FailureAsync(() => ApplyAsync(client, world, card, new(First, First + 1) { Delta = 1 }));
        Assert.Equal((FailureClass.Systemic, "odoo-fields"), (noField.Class, noField.Code));
        await world.UnlinkAsync("ir.actions.server", world.Action);
        var noAction = await FailureAsync(() => ApplyAsync(client, world, card, new(First, First + 1) { Delta = 1 }));
        Assert.Equal((FailureClass.Systemic, "odoo-action"), (noAction.Class, noAction.Code));
    }

    [Theory]
    [InlineData("17 json-rpc")]
    [InlineData("19")]
    public async Task An_Odoo_that_is_down_or_slow_is_waited_for(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var odoo = StandIn(world);
        var card = await world.CardAsync();
        var held = new HeldCall();
        odoo.Faults.Plan(Run, Fault.HoldRequest(held));
        using (var hasty = await ConnectAsync(world, timeout: TimeSpan.FromSeconds(1)))
        {
            var slow = await FailureAsync(() => ApplyAsync(hasty, world, card, new(0, First) { Delta = 1 }));
            Assert.Equal((FailureClass.Transient, "odoo-away", true), (slow.Class, slow.Code, slow.MayBeApplied));
        }
        held.Release();
        using var client = await ConnectAsync(world);
        await odoo.StopAsync();
        var down = await FailureAsync(() => ApplyAsync(client, world, card, new(0, First) { Delta = 1 }));
        Assert.Equal((FailureClass.Transient, "odoo-away", false), (down.Class, down.Code, down.MayBeApplied));
        await odoo.StartAgainAsync(Ct);
        await ApplyAsync(client, world, card, new(0, First) { Delta = 1 });
        Assert.Equal((1.0, (double)First), await world.StateAsync(card));
    }

    [Theory]
    [InlineData("16 json-rpc")]
    [InlineData("19")]
    public async Task Rows_are_loaded_once_and_ids_that_are_false_are_a_refusal(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var odoo = StandIn(world);
        using var client = await ConnectAsync(world);
        var (code, other) = (world.Name("L"), world.Name("L"));
        var ids = await client.LoadAsync("loyalty.card", Cards(world, code), Ct);
        Assert.Equal(ids, await client.LoadAsync("loyalty.card", Cards(world, code), Ct));
        odoo.Refuse("loyalty.card", "code", other, "No such code here.");
        var refused = await FailureAsync(() => client.LoadAsync("loyalty.card", Cards(world, other), Ct));
        Assert.Equal((FailureClass.Refused, "odoo-refused"), (refused.Class, refused.Code));
        Assert.Contains("No such code here.", refused.Message, StringComparison.Ordinal);
        odoo.Accept("loyalty.card", "code", other);
        Assert.Single(await client.LoadAsync("loyalty.card", Cards(world, other), Ct));
    }

    [Fact]
    public async Task A_conflict_of_transactions_that_load_reports_as_a_message_passes()
    {
        await using var world = await OpenAsync("19", servers);
        using var client = await ConnectAsync(world);
        var message = new PyDict
        {
            ["type"] = "error",
            ["message"] = "Unknown error during import: could not serialize access due to concurrent update",
            ["rows"] = new PyDict { ["from"] = 0L, ["to"] = 0L },
        };
        StandIn(world)
            .Faults.Plan(
                "loyalty.card/load",
                Fault.Answer(
                    OdooAnswer.Json(
                        new PyDict
                        {
                            ["ids"] = false,
                            ["messages"] = new List<object?> { message },
                        }
                    )
                )
            );
        var busy = await FailureAsync(() => client.LoadAsync("loyalty.card", Cards(world, world.Name("B")), Ct));
        Assert.Equal((FailureClass.Transient, "odoo-busy"), (busy.Class, busy.Code));
    }

    private static LoadTable Cards(OdooWorld world, string code)
    {
        var table = new LoadTable("program_id/.id", "code");
        table.Add($"cdc.card_{code}", OdooText.Of(world.Program), code);
        return table;
    }

    private static async Task<SequenceChangeState> ApplyAsync(OdooClient client, OdooWorld world, long card, SequenceChange change) =>
        Assert.Single(
            Assert.Single(await new SequenceCalls(client, world.Action).ApplyAsync([SequenceCard.Of(card, [change])], Ct)).Changes
        );

    private static Task<OdooException> FailureAsync(Func<Task> call) => Assert.ThrowsAsync<OdooException>(call);

    private static Task<OdooClient> ConnectAsync(OdooWorld world, string? key = null, TimeSpan? timeout = null) =>
        OdooClient.ConnectAsync(
            new OdooOptions
            {
                Url = world.Target.Url.ToString(),
                Database = world.Target.Database,
                Login = world.Target.Login,
                Key = key ?? world.Target.Key,
                Protocol = world.Admin.IsJsonRpc ? OdooProtocol.JsonRpc : OdooProtocol.Json2,
                Attempts = 1,
                Timeout = timeout ?? TimeSpan.FromMinutes(1),
            },
            TimeProvider.System,
            NullLogger.Instance,
            Ct
        );

    private static OdooStandIn StandIn(OdooWorld world) => (OdooStandIn)world.Target.Server!;
}
