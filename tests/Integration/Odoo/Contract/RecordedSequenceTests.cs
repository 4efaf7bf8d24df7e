using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>The sequence protocol as real Odoo answered it: every recorded request again, every answer letter by letter.</summary>
[Collection(nameof(OdooWorld))]
public sealed class RecordedSequenceTests(TestServers servers)
{
    private const long First = 1796000000000001;

    public static TheoryData<string> Targets() => OdooTarget.OfRecordings();

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Changes_of_a_card_are_answered_as_recorded(string target)
    {
        await using var world = await OdooWorld.OpenAsync(target, servers);
        var replay = Open(world);
        replay.Card = await world.CardAsync();
        await world.SetAsync(replay.Card, 100, 0);
        foreach (
            var title in (string[])
                [
                    "One change",
                    "The same call again: past",
                    "Three changes of one card, the last a void",
                    "A number without effect",
                    "Values instead of a delta (points and others are ignored: not in the list)",
                    "The predecessor is missing: gap",
                    "No such card",
                ]
        )
            await replay.SameAsync(title, world.Action);
        await world.SetAsync(replay.Card, 113, First + 7);
        await replay.SameAsync("A late duplicate after newer changes: past", world.Action);
        await replay.SameAsync("Somebody else writes x_cdc_seq", replay.Card);
        replay.Card = await world.CardAsync(100);
        foreach (
            var title in (string[])
                [
                    "The first change of a card that has no number",
                    "Applied, void, gap in one call",
                    "Delta NaN",
                    "Delta -Infinity",
                    "Delta text",
                    "Delta 1e12",
                ]
        )
            await replay.SameAsync(title, world.Action);
        Assert.Equal((100.0, First + 2), await world.StateAsync(replay.Card));
        if (!replay.Has("An archived card"))
            return;
        await world.SetAsync(replay.Card, 101, First + 3);
        await world.WriteAsync("loyalty.card", replay.Card, new PyDict { ["active"] = false });
        await replay.SameAsync("An archived card", world.Action);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Newborns_are_answered_as_recorded(string target)
    {
        await using var world = await OdooWorld.OpenAsync(target, servers);
        var replay = Open(world);
        replay.Card = await world.CardAsync(5);
        await replay.SameAsync("A new card with its first change", world.Action);
        await replay.SameAsync("The same create again", world.Action);
        await replay.SameAsync("One card of the batch is refused by the database: all undone", world.Action);
        Assert.Equal((5.0, 0.0), await world.StateAsync(replay.Card));
        var gone = OdooWorld.Info(await world.ApplyAsync(world.Newborn(Gone(world), world.Name("gone"))));
        await world.DeleteCardAsync((long)gone["card"]!);
        await replay.SameAsync("A late duplicate of a create, the card was deleted: no-card", world.Action);
        await world.UnlinkAsync("ir.config_parameter", world.Parameter);
        await replay.SameAsync("The parameter is missing", world.Action);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public async Task Installing_and_removing_is_answered_as_recorded(string target)
    {
        await using var world = await OdooWorld.OpenAsync(target, servers, isInstalled: false);
        if (world.Target.IsReal && (await world.SearchAsync("ir.config_parameter", ["key", "=", OdooWorld.Registry])).Count > 0)
            Assert.Skip("This Odoo has the fields and the registry already; they stay.");
        var replay = Open(world);
        foreach (
            var title in (string[])
                [
                    "Create a field: x_cdc_seq on loyalty.card",
                    "Create a field: x_cdc_ref on loyalty.card",
                    "The registry: one parameter",
                    "The group",
                ]
        )
            await replay.SameAsync(title);
        var group = (await world.SearchAsync("res.groups", ["name", "=", "CDC engine"]))[^1];
        replay.Group = group;
        replay.Names.Add(("\"cdcmin\"", $"\"{world.Name("cdcmin")}\""));
        await replay.SameAsync("A bot: cdcmin");
        await world.WriteAsync(
            "res.users",
            world.Admin.Uid,
            new PyDict
            {
                [world.GroupsField] = new List<object?>
                {
                    new List<object?> { 4L, group },
                },
            }
        );
        await replay.SameAsync("The action");
        var action = (await world.SearchAsync("ir.actions.server", ["name", "=", "CDC: apply changes"]))[^1];
        var fields = await world.SearchAsync(
            "ir.model.fields",
            ["model", "=", "loyalty.card"],
            ["name", "in", new List<object?> { "x_cdc_seq", "x_cdc_ref" }]
        );
        replay.Card = await world.CardAsync(5);
        await replay.SameAsync("Remove the fields", [.. fields]);
        if (replay.Has("The action when the fields are gone"))
            await replay.SameAsync("The action when the fields are gone", action);
        await replay.SameAsync("Remove the action", action);
        await replay.SameAsync("The action is gone", action);
        await replay.SameAsync(
            "Remove the parameter",
            (await world.SearchAsync("ir.config_parameter", ["key", "=", OdooWorld.Registry]))[0]
        );
        await replay.SameAsync("Remove the group", group);
    }

    private static Replay Open(OdooWorld world)
    {
        var replay = new Replay(world, RecordedExchange.Read(world.Admin.IsJsonRpc ? "sequence-16" : "sequence-19"));
        replay.Names.AddRange([
            ("CDC-7d444840", $"CDC-{world.Run}"),
            ("-9dc0-11d1-", $"-{world.Run}-"),
            ("\"pm-16\"", $"\"pm-{world.Run}\""),
            ("\"pm-19\"", $"\"pm-{world.Run}\""),
        ]);
        return replay;
    }

    private static string Gone(OdooWorld world) => $"9d444840-{world.Run}-b245-5ffdce74fad3";
}
