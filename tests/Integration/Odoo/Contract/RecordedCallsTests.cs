using Cdc.Tests.Support.Postgres;
using Xunit;

namespace Cdc.Tests.Integration.Odoo.Contract;

/// <summary>Reading, writing, load and errors of Odoo 19 as they were recorded, by JSON-2 and JSON-RPC.</summary>
[Collection(nameof(OdooWorld))]
public sealed class RecordedCallsTests(TestServers servers)
{
    /// <summary>No Odoo has so many.</summary>
    private const string Nobody = "999999";

    public static TheoryData<string> Json2() => OdooTarget.WithJson2();

    public static TheoryData<string> JsonRpc() => OdooTarget.Of19();

    [Theory]
    [MemberData(nameof(Json2))]
    public async Task Load_is_answered_as_recorded(string target)
    {
        await using var world = await OdooWorld.OpenAsync(target, servers);
        if (Recorded(world, json2: true) is not { } replay)
            return;
        var card = await world.CardAsync();
        replay.Names.AddRange([
            ("\"22\"", $"\"{card}\""),
            ("_4294967", $"_{world.Run}"),
            ("cdc.card_1\"", $"cdc.card_1{world.Run}\""),
            ("cdc.card_1'", $"cdc.card_1{world.Run}'"),
            ("\"7\"", $"\"{world.Program}\""),
            ("\"46\"", $"\"{world.Partner}\""),
            ("ENG-", $"ENG{world.Run}-"),
        ]);
        await replay.SameAsync("load: history with an external id");
        var moves = await world.SearchAsync("loyalty.history", ["card_id", "=", card]);
        await replay.SameAsync("load repeated, other values (noupdate): nothing changes");
        await HasAsync(5, "engine 4294967300");
        await replay.SameAsync("load repeated without mode/noupdate: overwrites");
        await HasAsync(9, "CHANGED2");
        foreach (
            var title in (string[])
                [
                    "load as bot (no Settings right)",
                    "load: bad number, second row",
                    "load: card does not exist",
                    "load: required missing",
                    "load: good and bad mixed in db error",
                    "load: card by external id of Odoo (name lookup)",
                    "load: cards",
                    "load: card with same code, other external id (UNIQUE)",
                    "load: unknown field",
                    "load: card and history together (one2many)",
                    "load: the card again with a second movement and absolute points (noupdate: skipped?)",
                ]
        )
            await replay.SameAsync(title);
        // The bot's is the only one beside the first: what was refused left nothing behind.
        Assert.Equal(2, (await world.SearchAsync("loyalty.history", ["card_id", "=", card])).Count);
        var both = Assert.Single(await world.SearchAsync("loyalty.card", ["code", "=", $"ENG{world.Run}-2"]));
        Assert.Equal(15, (await world.StateAsync(both)).Points);
        replay.Names.Add(("\"198\"", $"\"{both}\""));
        await replay.SameAsync("load: by database id");
        await replay.SameAsync("load: by database id, repeated");
        Assert.Equal(25, (await world.StateAsync(both)).Points);
        Assert.Equal(2, (await world.SearchAsync("loyalty.history", ["card_id", "=", both])).Count);

        async Task HasAsync(double issued, string text)
        {
            var move = (PyDict)Assert.Single(await world.ReadAsync("loyalty.history", moves, "issued", "description"))!;
            Assert.Equal((issued, text), ((double)move["issued"]!, (string)move["description"]!));
        }
    }

    [Theory]
    [MemberData(nameof(Json2))]
    public async Task Json2_is_answered_as_recorded(string target)
    {
        await using var world = await OdooWorld.OpenAsync(target, servers);
        if (Recorded(world, json2: true) is not { } replay)
            return;
        var (first, second) = (await world.CardAsync(818), await world.CardAsync(1300));
        replay.Names.AddRange([(Nobody, Nobody), ("[22]", $"[{first}]"), ("[22, ", $"[{first}, "), (", 23]", $", {second}]")]);
        await CodesAsync(world, replay, (first, "044d-224b-47f0"), (second, "0449-3f14-4970"));
        foreach (
            var title in (string[])["search_read with ids", "read several", "fields_get", "version", "json version", "default context_get"]
        )
            await replay.SameAsync(title);
        // Who has no valid key is told no more than that.
        var stranger = world.Admin with
        {
            Secret = new string('0', 40),
        };
        var refused = await stranger.CallAsync("loyalty.card", "search_count", null, OdooWorld.Ct, null, ("domain", new List<object?>()));
        Assert.Equal((401, ("werkzeug.exceptions.Unauthorized", "Invalid apikey")), (refused.Status, refused.Error));
        // And who names no database is told nothing by Odoo itself.
        var lost = await (world.Admin with { Database = "nosuch" }).SendAsync(
            "POST",
            "/json/2/loyalty.card/search_count",
            "{}",
            OdooWorld.Ct
        );
        Assert.Equal(404, lost.Status);
        Assert.StartsWith("<", lost.Text.TrimStart(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(JsonRpc))]
    public async Task Json_rpc_is_answered_as_recorded(string target)
    {
        await using var world = await OdooWorld.OpenAsync(target, servers);
        if (Recorded(world, json2: false) is not { } replay)
            return;
        var (first, archived) = (await world.CardAsync(436.5), await world.CardAsync());
        await world.CardAsync(code: $"CONC-{world.Run}");
        replay.Names.AddRange([
            ("\"odoo19\"", $"\"{world.Target.Database}\""),
            ("\"cdcbot\", \"KEY-OF-40-HEX-DIGITS\"", $"\"{world.Target.Login}\", \"{world.Admin.Secret}\""),
            ("\"cdcbot\", \"no\"", $"\"{world.Target.Login}\", \"no\""),
            (", 22]", $", {first}]"),
            ("[[22]", $"[[{first}]"),
            ("[[41]]", $"[[{archived}]]"),
            ("[[7]]", $"[[{world.Program}]]"),
            ("CONC-1", $"CONC-{world.Run}"),
        ]);
        await CodesAsync(world, replay, (first, "044d-224b-47f0"));
        foreach (
            var title in (string[])
                [
                    "JSON-RPC version",
                    "JSON-RPC authenticate wrong",
                    "JSON-RPC search_read",
                    "JSON-RPC None result",
                    "JSON-RPC UNIQUE broken",
                    "JSON-RPC AccessError",
                    "JSON-RPC MissingError",
                    "JSON-RPC UserError",
                    "JSON-RPC unknown model",
                    "JSON-RPC unknown method",
                    "JSON-RPC private method",
                    "JSON-RPC unknown argument",
                ]
        )
            await replay.SameAsync(title);
        var archivedCard = (PyDict)Assert.Single(await world.ReadAsync("loyalty.card", [archived], "active"))!;
        Assert.Equal(false, archivedCard["active"]);
        // These two name another user, or another database, than ours.
        var wrong = await (world.Admin with { Secret = "no" }).CallAsync(
            "loyalty.card",
            "search_count",
            null,
            OdooWorld.Ct,
            null,
            ("domain", new List<object?>())
        );
        Assert.Equal((200, ("odoo.exceptions.AccessDenied", "Access Denied")), (wrong.Status, wrong.Error));
        var nowhere = await (world.Admin with { Database = "nosuch" }).CallAsync(
            "loyalty.card",
            "search_count",
            null,
            OdooWorld.Ct,
            null,
            ("domain", new List<object?>())
        );
        Assert.Equal((200, "psycopg2.OperationalError"), (nowhere.Status, nowhere.Error.Name));
        Assert.Contains("database \"nosuch\" does not exist", nowhere.Error.Message, StringComparison.Ordinal);
    }

    /// <summary>Codes as they were recorded may be taken in a real Odoo: ours stand for them.</summary>
    private static async Task CodesAsync(OdooWorld world, Replay replay, params (long Card, string Code)[] cards)
    {
        foreach (var (card, code) in cards)
        {
            var row = (PyDict)Assert.Single(await world.ReadAsync("loyalty.card", [card], "code"))!;
            replay.Names.Add((code, (string)row["code"]!));
        }
    }

    /// <summary>Null: this Odoo answers otherwise.</summary>
    private static Replay? Recorded(OdooWorld world, bool json2) =>
        world.Major < 19 || world.Admin.IsJsonRpc == json2
            ? null
            : new Replay(world, RecordedExchange.Read(json2 ? "json2-19" : "jsonrpc-19"));
}
