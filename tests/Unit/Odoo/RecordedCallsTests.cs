using System.Text.Json.Nodes;
using Cdc.Odoo;
using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>What is sent is what was recorded, and what was answered to it is understood.</summary>
public sealed class RecordedCallsTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task JSON_2_is_spoken_with_19_and_its_key_and_database_go_as_headers()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        Assert.Equal((new OdooVersion(19, 0), OdooProtocol.Json2), (bed.Client.Version, bed.Client.Protocol));
        bed.Server.Play(RecordedAnswer.Json2("read several"));
        var records = await bed.Client.ReadAsync("loyalty.card", [22, 999999, 23], ["code", "points"], Ct);

        Assert.Equal([(22, "044d-224b-47f0", 818.0), (23, "0449-3f14-4970", 1300.0)], records.Select(Card));
        var call = bed.Server.Calls.Single();
        Assert.Equal(("bearer KEY-OF-40-HEX-DIGITS", "odoo19"), (call.Authorization, call.Database));
        IsSent(RecordedAnswer.Json2("read several"), call);
        Assert.Empty(bed.Server.Others.Except(["GET /web/version"]));
    }

    [Fact]
    public async Task JSON_RPC_is_spoken_with_16_whose_version_it_alone_tells()
    {
        await using var bed = await OdooBed.StartAsync("16.0", Ct);
        Assert.Equal((new OdooVersion(16, 0), OdooProtocol.JsonRpc), (bed.Client.Version, bed.Client.Protocol));
        var recorded = RecordedAnswer.JsonRpc("JSON-RPC search_read");
        bed.Server.Play(recorded, recorded);
        for (var i = 0; i < 2; i++)
        {
            var records = await bed.Client.SearchReadAsync(
                "loyalty.card",
                [new JsonArray("id", "=", 22)],
                ["code", "points", "write_date"],
                ct: Ct
            );
            var record = records.Single();
            Assert.Equal((22, "044d-224b-47f0", 436.5), Card(record));
            Assert.Equal(new DateTimeOffset(2026, 11, 30, 2, 49, 26, TimeSpan.Zero), record.Moment("write_date"));
        }

        IsSent(recorded, bed.Server.Calls[0]);
        Assert.Equal(
            ["odoo19", "7", "KEY-OF-40-HEX-DIGITS", "loyalty.card", "search_read"],
            bed.Server.Calls[0].Args.Take(5).Select(a => a!.ToString())
        );
        // The user is looked for once.
        Assert.Equal(["GET /web/version", "version", "authenticate"], bed.Server.Others);
    }

    [Theory]
    [InlineData("17.0", OdooProtocol.JsonRpc)]
    [InlineData("18.0", OdooProtocol.JsonRpc)]
    [InlineData("19.0", OdooProtocol.Json2)]
    public async Task The_transport_is_that_of_the_version(string version, OdooProtocol expected)
    {
        await using var bed = await OdooBed.StartAsync(version, Ct);
        Assert.Equal((version, expected), (bed.Client.Version.ToString(), bed.Client.Protocol));
    }

    [Fact]
    public async Task A_method_that_returns_nothing_has_no_result_over_JSON_RPC()
    {
        await using var bed = await OdooBed.StartAsync("18.0", Ct);
        bed.Server.Play(RecordedAnswer.JsonRpc("JSON-RPC None result"));
        Assert.Null(await bed.Client.CallAsync(new OdooCall("loyalty.card", "action_archive") { Ids = [41] }, Ct));
        IsSent(RecordedAnswer.JsonRpc("JSON-RPC None result"), bed.Server.Calls.Single());
    }

    [Fact]
    public async Task And_null_over_JSON_2()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Json("null"));
        Assert.Null(await bed.Client.CallAsync(new OdooCall("loyalty.card", "action_archive") { Ids = [41] }, Ct));
    }

    [Fact]
    public async Task Whose_key_it_is_is_told_by_either_transport()
    {
        await using var of19 = await OdooBed.StartAsync("19.0", Ct);
        of19.Server.Play(RecordedAnswer.Json2("default context_get"));
        Assert.Equal(7, await of19.Client.UserAsync(Ct));
        await using var of16 = await OdooBed.StartAsync("16.0", Ct);
        Assert.Equal(7, await of16.Client.UserAsync(Ct));
    }

    [Fact]
    public async Task A_wrong_login_is_an_answer_of_false()
    {
        await using var bed = await OdooBed.StartAsync("16.0", Ct, o => o with { Login = "wrong" });
        var failure = await OdooBed.FailureAsync(() => bed.Client.UserAsync(Ct));
        Assert.Equal((FailureClass.Systemic, "odoo-key"), (failure.Class, failure.Code));
    }

    [Fact]
    public async Task An_address_without_Odoo_is_told_when_it_is_connected_to()
    {
        await using var server = await OdooPlayer.StartAsync("19.0", Ct);
        server.Greeting = PlayedAnswer.Json("{\"version\": \"unknown\"}");
        var options = OdooBed.Options with { Url = server.Address };
        var failure = await OdooBed.FailureAsync(() =>
            OdooClient.ConnectAsync(options, new HurriedTime(), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, Ct)
        );
        Assert.Equal((FailureClass.Systemic, "odoo-address"), (failure.Class, failure.Code));
    }

    [Fact]
    public async Task A_card_with_NaN_does_not_make_the_others_unreadable()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Json("""[{"id": 1, "code": "NaN", "points": NaN}, {"id": 2, "code": "b", "points": -Infinity}]"""));
        var records = await bed.Client.ReadAsync("loyalty.card", [1, 2], ["code", "points"], Ct);
        Assert.Equal([(1, "NaN", double.NaN), (2, "b", double.NegativeInfinity)], records.Select(Card));
    }

    [Fact]
    public async Task Ids_of_the_engine_are_never_sent_as_Odoos_and_no_ids_are_never_written()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => bed.Client.WriteAsync("loyalty.card", [], [], true, Ct));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => bed.Client.WriteAsync("loyalty.card", [1L << 32], [], true, Ct));
        Assert.Empty(bed.Server.Calls);
    }

    [Theory]
    [InlineData("19.0", "[5, 6]")]
    [InlineData("16.0", "{\"jsonrpc\": \"2.0\", \"id\": 17, \"result\": [5, 6]}")]
    public async Task Created_records_have_ids(string version, string answer)
    {
        await using var bed = await OdooBed.StartAsync(version, Ct);
        bed.Server.Play(PlayedAnswer.Json(answer));
        Assert.Equal([5, 6], await bed.Client.CreateAsync("loyalty.card", [new JsonObject { ["code"] = "a" }, []], Ct));
        Assert.Equal("""[{"code":"a"},{}]""", bed.Server.Calls.Single().Argument("vals_list", 0)!.ToJsonString());
    }

    [Theory]
    [InlineData("19.0")]
    [InlineData("16.0")]
    public async Task Written_values_go_by_their_name_or_place(string version)
    {
        await using var bed = await OdooBed.StartAsync(version, Ct);
        bed.Server.Answers = call => PlayedAnswer.Json(call.IsRpc ? "{\"jsonrpc\": \"2.0\", \"id\": 17, \"result\": true}" : "true");
        await bed.Client.WriteAsync("loyalty.card", [22], new JsonObject { ["points"] = 0.1 + 0.2 }, mayBeRepeated: true, Ct);
        var call = bed.Server.Calls.Single();
        Assert.Equal("[22]", call.Argument("ids", 0)!.ToJsonString());
        Assert.Equal("""{"points":0.30000000000000004}""", call.Argument("vals", 1)!.ToJsonString());
    }

    /// <summary>Leaves out the context, which is wider than it was.</summary>
    internal static void IsSent(RecordedAnswer expected, PlayedCall sent)
    {
        Assert.Equal(expected.Request, sent.Request);
        if (!sent.IsRpc)
        {
            Same(Without(expected.Arguments), Without(sent.Body!.AsObject()));
            return;
        }
        var (placed, named) = expected.ExecuteKw;
        Same(placed, sent.Args[5]!);
        Same(Without(named), Without(sent.Args[6]!.AsObject()));
    }

    private static JsonObject Without(JsonObject arguments)
    {
        var copy = arguments.DeepClone().AsObject();
        copy.Remove("context");
        return copy;
    }

    internal static void Same(JsonNode expected, JsonNode actual) =>
        Assert.True(
            // Read anew, so that numbers are those of their texts.
            JsonNode.DeepEquals(JsonNode.Parse(expected.ToJsonString()), JsonNode.Parse(actual.ToJsonString())),
            $"{actual.ToJsonString()}\n is not {expected.ToJsonString()}"
        );

    private static (int Id, string? Code, double? Points) Card(OdooRecord record) =>
        ((int)record.Id, record.Text("code"), record.Number("points"));
}
