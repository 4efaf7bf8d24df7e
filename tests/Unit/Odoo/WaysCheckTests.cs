using Cdc.Odoo.Failures;
using Cdc.Odoo.Ways;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

public sealed class WaysCheckTests
{
    private const string EmptyRun = """{"type": "ir.actions.act_window_close", "infos": []}""";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("19.0", "has_access")]
    [InlineData("18.0", "has_access")]
    [InlineData("17.0", "check_access_rights")]
    [InlineData("16.0", "check_access_rights")]
    public async Task With_the_action_and_all_rights_two_ways_are_possible_until_19(string version, string question)
    {
        await using var bed = await OdooBed.StartAsync(version, Ct);
        bed.Server.Answers = call => Result(call, call.Name == "ir.actions.server/run" ? EmptyRun : "true");
        var ways = await new WaysCheck(bed.Client).FindAsync(502, Ct);
        Assert.Equal(
            [(Way.Sequence, true), (Way.History, false), (Way.Level, true)],
            ways.Select(w => (w.Way, w.IsPossible ?? throw new InvalidOperationException(w.Why)))
        );
        Assert.Equal(3, bed.Server.Calls.Count(c => c.Name == $"loyalty.card/{question}"));
        Assert.Equal("[]", bed.Server.Calls.Single(c => c.Name == "ir.actions.server/run").Context["cdc_cards"]!.ToJsonString());
    }

    [Fact]
    public async Task Where_points_are_no_column_the_history_is_the_way()
    {
        await using var bed = await OdooBed.StartAsync("20.0", Ct);
        bed.Server.Answers = call => Result(call, "true");
        var ways = await new WaysCheck(bed.Client).FindAsync(502, Ct);
        Assert.Equal([(Way.Sequence, false), (Way.History, true), (Way.Level, (bool?)false)], ways.Select(w => (w.Way, w.IsPossible)));
        Assert.Equal("loyalty.history/has_access", Assert.Single(bed.Server.Calls).Name);
    }

    [Theory]
    [InlineData("run without right")]
    [InlineData("The action is gone")]
    [InlineData("The parameter is missing")]
    public async Task An_action_that_cannot_be_run_is_said_with_what_to_do(string recorded)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Answers = call => call.Name == "ir.actions.server/run" ? RecordedAnswer.Json2(recorded) : Result(call, "true");
        var sequence = (await new WaysCheck(bed.Client).FindAsync(502, Ct))[0];
        Assert.False(sequence.IsPossible);
        Assert.NotEmpty(sequence.Remedy);
    }

    [Fact]
    public async Task Without_an_action_none_is_run()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Answers = call => Result(call, "true");
        Assert.False((await new WaysCheck(bed.Client).FindAsync(null, Ct))[0].IsPossible);
        Assert.DoesNotContain(bed.Server.Calls, c => c.Name == "ir.actions.server/run");
    }

    [Fact]
    public async Task Missing_rights_are_named()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Answers = call => Result(call, call.Body!["operation"]!.ToString() == "create" ? "false" : "true");
        var level = (await new WaysCheck(bed.Client).FindAsync(null, Ct))[2];
        Assert.Equal((false, "This user may not create cards."), (level.IsPossible, level.Why));
    }

    [Fact]
    public async Task What_Odoo_does_not_say_is_not_known()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Answers = _ => RecordedAnswer.Json2("search_read with ids");
        Assert.Null((await new WaysCheck(bed.Client).FindAsync(null, Ct))[2].IsPossible);
    }

    [Fact]
    public async Task A_wrong_key_is_no_finding()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Answers = _ => RecordedAnswer.Json2("expired key");
        Assert.Equal("odoo-key", (await OdooBed.FailureAsync(() => new WaysCheck(bed.Client).FindAsync(502, Ct))).Code);
    }

    private static PlayedAnswer Result(PlayedCall call, string result) =>
        PlayedAnswer.Json(call.IsRpc ? $$"""{"jsonrpc": "2.0", "id": {{call.Body!["id"]}}, "result": {{result}}}""" : result);
}
