using Cdc.Tests.Support.Postgres;
using Xunit;
using static Cdc.Tests.Integration.Odoo.Contract.OdooWorld;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>What the way back builds on: each change in Odoo exactly once, whatever happens to the calls.</summary>
[Collection(nameof(OdooWorld))]
public sealed class SequenceProtocolTests(TestServers servers)
{
    private const long First = 1796000000000001;

    public static TheoryData<string> Targets() => OdooTarget.All();

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Repeated_wrong_and_late_calls_change_nothing(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var card = await world.CardAsync(100);
        Assert.Equal("applied", await ApplyAsync(Change(0, First, 2.5)));
        Assert.Equal("past", await ApplyAsync(Change(0, First, 2.5)));
        // Another successor of the same predecessor, and one whose predecessor has not come yet.
        Assert.Equal("gap", await ApplyAsync(Change(0, First + 1, 7)));
        Assert.Equal("gap", await ApplyAsync(Change(First + 1, First + 2, 7)));
        Assert.Equal("applied,applied", await ApplyAsync(Change(First, First + 1, -1), Change(First + 1, First + 2, 0.25)));
        // On its way since before the others.
        Assert.Equal("past", await ApplyAsync(Change(0, First, 2.5)));
        Assert.Equal(
            "past,past,applied",
            await ApplyAsync(Change(First, First + 1, -1), Change(First + 1, First + 2, 0.25), Change(First + 2, First + 3, 0))
        );
        Assert.Equal((101.75, (double)(First + 3)), await world.StateAsync(card));

        async Task<string> ApplyAsync(params PyDict[] changes) => Changes(await world.InfoAsync(Entry(card, changes)));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Thirty_two_times_the_same_at_once_is_applied_once(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var card = await world.CardAsync(100);
        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => world.InfoAsync(Entry(card, Change(0, First, 2.5, "once")))));
        Assert.Equal(1, answers.Count(a => Changes(a) == "applied"));
        Assert.Equal(31, answers.Count(a => Changes(a) == "past"));
        Assert.Equal((102.5, (double)First), await world.StateAsync(card));
        Assert.Equal(world.HasHistory ? 1 : 0, await MovesAsync(world, card));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Thirty_two_changes_of_one_card_at_once_are_applied_once_each(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var card = await world.CardAsync();
        var applied = 0;
        await Task.WhenAll(Enumerable.Range(0, 32).Reverse().Select(SendAsync));
        Assert.Equal(32, applied);
        Assert.Equal((528.0, (double)(First + 31)), await world.StateAsync(card));
        Assert.Equal(world.HasHistory ? 32 : 0, await MovesAsync(world, card));

        // As a worker that knows nothing of the others: what has a gap is sent again.
        async Task SendAsync(int number)
        {
            var change = Change(number == 0 ? 0 : First + number - 1, First + number, (double)(number + 1), "m");
            while (true)
                switch (Changes(await world.InfoAsync(Entry(card, change))))
                {
                    case "applied":
                        Interlocked.Increment(ref applied);
                        return;
                    case "gap":
                        continue;
                    case var other:
                        Assert.Fail($"{number}: {other}");
                        return;
                }
        }
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Cards_in_opposite_orders_at_once_hinder_nobody(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var cards = new[] { await world.CardAsync(), await world.CardAsync(), await world.CardAsync() };
        var replies = await Task.WhenAll(
            Enumerable
                .Range(0, 12)
                .Select(async n =>
                {
                    var entries = cards.Select(c => Entry(c, Change(0, First, 1.0))).ToArray();
                    if (n % 2 == 1)
                        Array.Reverse(entries);
                    while (true)
                        if (await world.ApplyAsync(entries) is { IsToBeRepeated: false } reply)
                            return reply;
                })
        );
        Assert.Equal(3, replies.SelectMany(r => (List<object?>)((PyDict)r.Result!)["infos"]!).Count(i => Changes((PyDict)i!) == "applied"));
        foreach (var card in cards)
            Assert.Equal((1.0, (double)First), await world.StateAsync(card));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task A_newborn_is_created_once_however_often_it_is_called(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var (reference, code) = (Guid.NewGuid().ToString(), world.Name("born"));
        var born = world.Newborn(reference, code, Change(0, First, 25, "start"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => world.InfoAsync(born)));
        Assert.Equal(1, answers.Count(a => (string)a["state"]! == "created" && Changes(a) == "applied"));
        Assert.Equal(7, answers.Count(a => (string)a["state"]! == "known" && Changes(a) == "past"));
        var card = Assert.Single(await world.SearchAsync("loyalty.card", ["x_cdc_ref", "=", reference]));
        Assert.All(answers, a => Assert.Equal(card, a["card"]));
        Assert.Equal((25.0, (double)First), await world.StateAsync(card));
        Assert.Equal([card], await world.SearchAsync("loyalty.card", ["code", "=", code]));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task The_registry_outlives_the_row(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var (reference, code) = (Guid.NewGuid().ToString(), world.Name("born"));
        var card = (long)(await world.InfoAsync(world.Newborn(reference, code, Change(0, First, 25))))["card"]!;
        await world.DeleteCardAsync(card);
        var late = await world.InfoAsync(world.Newborn(reference, code, Change(0, First, 25)));
        Assert.Equal(("no-card", "no-card"), ((string)late["state"]!, Changes(late)));
        Assert.Empty(await world.SearchAsync("loyalty.card", ["code", "=", code]));
        Assert.Single(await world.SearchAsync("ir.model.data", ["module", "=", "cdc"], ["name", "=", "card_" + reference]));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task What_is_refused_leaves_nothing_of_its_call(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var code = world.Name("taken");
        var (first, taken) = (await world.CardAsync(10), await world.CardAsync(0, code));
        var reference = Guid.NewGuid().ToString();
        var reply = await world.ApplyAsync(Entry(first, Change(0, First, 1.0)), world.Newborn(reference, code, Change(0, First, 25)));
        Assert.Equal("builtins.ValueError", reply.Error.Name);
        Assert.Contains("loyalty_card_card_code_unique", reply.Error.Message.Split(" while evaluating")[0], StringComparison.Ordinal);
        Assert.Equal((10.0, 0.0), await world.StateAsync(first));
        Assert.Equal([taken], await world.SearchAsync("loyalty.card", ["code", "=", code]));
        // With another code it is born: nothing of the first attempt is registered.
        Assert.Equal("created", (await world.InfoAsync(world.Newborn(reference, world.Name("free"), Change(0, First, 25))))["state"]);
        // A code that is taken, as a change of a card: the ORM's own constraint, at the end.
        var renamed = Change(0, First, 1.0);
        renamed["values"] = new PyDict { ["code"] = code };
        Assert.Equal(
            ("odoo.exceptions.ValidationError", "The operation cannot be completed: A coupon/loyalty card must have a unique code."),
            (await world.ApplyAsync(Entry(first, renamed))).Error
        );
        Assert.Equal((10.0, 0.0), await world.StateAsync(first));
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task An_archived_card_is_answered_so_where_cards_can_be_archived(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var card = await world.CardAsync(10);
        if (!world.HasHistory)
        {
            Assert.Equal(("applied", true), Said(await world.InfoAsync(Entry(card, Change(0, First, 1.0)))));
            return;
        }
        await world.WriteAsync("loyalty.card", card, new PyDict { ["active"] = false });
        Assert.Equal(("archived", false), Said(await world.InfoAsync(Entry(card, Change(0, First, 1.0)))));
        Assert.Equal((10.0, 0.0), await world.StateAsync(card));
        var knowingly = Entry(card, Change(0, First, 1.0));
        knowingly["archived"] = true;
        Assert.Equal(("applied", false), Said(await world.InfoAsync(knowingly)));
        Assert.Equal((11.0, (double)First), await world.StateAsync(card));

        static (string, object?) Said(PyDict info) => (Changes(info), info["active"]);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Numbers_are_exact_up_to_what_a_double_holds(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var card = await world.CardAsync();
        long[] numbers = [First, First + 1, 1799999999999999, (1L << 53) - 2, (1L << 53) - 1];
        var before = 0L;
        foreach (var number in numbers)
        {
            Assert.Equal("applied", Changes(await world.InfoAsync(Entry(card, Change(before, number, 0.1)))));
            Assert.Equal((double)number, (await world.StateAsync(card)).Seq);
            before = number;
        }
        Assert.Equal("refused", Changes(await world.InfoAsync(Entry(card, Change(before, 1L << 53, 0.1)))));
        // As Odoo itself counts.
        Assert.Equal(0.1 + 0.1 + 0.1 + 0.1 + 0.1, (await world.StateAsync(card)).Points);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Only_members_of_its_group_run_the_action(string target)
    {
        await using var world = await OpenAsync(target, servers);
        var card = await world.CardAsync();
        var (bot, stranger) = (await world.UserAsync(world.Group), await world.UserAsync());
        Assert.Equal("applied", Changes(Info(await world.ApplyAsync(bot, Entry(card, Change(0, First, 1.0))))));
        Assert.Equal(
            ("odoo.exceptions.AccessError", "You don't have enough access rights to run this action."),
            (await world.ApplyAsync(stranger, Entry(card, Change(First, First + 1, 1.0)))).Error
        );
        // The bot may do nothing else.
        foreach (var model in (string[])["loyalty.card", "ir.actions.server", "res.partner"])
            Assert.Equal(
                "odoo.exceptions.AccessError",
                (await bot.CallAsync(model, "search_read", null, Ct, null, ("domain", new List<object?>()))).Error.Name
            );
        // Without a group: up to 18 who may write cards, on 19 anybody.
        await world.UnlinkAsync("res.groups", world.Group);
        var open = await world.ApplyAsync(stranger, Entry(card, Change(First, First + 1, 1.0)));
        if (world.Major >= 19)
            Assert.Equal("applied", Changes(Info(open)));
        else
            Assert.Equal("odoo.exceptions.AccessError", open.Error.Name);
    }

    private static async Task<int> MovesAsync(OdooWorld world, long card) =>
        world.HasHistory ? (await world.SearchAsync("loyalty.history", ["card_id", "=", card])).Count : 0;
}
