using Cdc.Odoo.Calls;
using Cdc.Odoo.Failures;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

/// <summary><c>load</c> answers with HTTP 200 whatever happened.</summary>
public sealed class LoadTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_movement_is_sent_as_texts_under_its_name_and_never_overwrites()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        var recorded = RecordedAnswer.Json2("load: history with an external id");
        bed.Server.Play(recorded);
        var table = new LoadTable("card_id/.id", "description", "issued", "used");
        table.Add("cdc.move_4294967300", OdooText.Of(22), "engine 4294967300", OdooText.Of(5.0), OdooText.Of(0.0));

        Assert.Equal([176], await bed.Client.LoadAsync("loyalty.history", table, Ct));
        var call = bed.Server.Calls.Single();
        RecordedCallsTests.IsSent(recorded, call);
        foreach (var (name, value) in recorded.Arguments["context"]!.AsObject())
            RecordedCallsTests.Same(value!, call.Context[name]!);
    }

    [Theory]
    [InlineData("load: bad number, second row", 1, "issued")]
    [InlineData("load: card does not exist", 0, "card_id")]
    [InlineData("load: required missing", 0, "description")]
    [InlineData("load: good and bad mixed in db error", 1, "description")]
    [InlineData("load: card by external id of Odoo (name lookup)", 0, "card_id")]
    [InlineData("load: card with same code, other external id (UNIQUE)", 0, "code")]
    public async Task No_ids_is_a_refusal_of_rows(string name, int row, string field)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(RecordedAnswer.Json2(name));
        var failure = await OdooBed.FailureAsync(() => bed.Client.LoadAsync("loyalty.history", TwoRows(), Ct));
        Assert.Equal((FailureClass.Refused, "odoo-refused", false), (failure.Class, failure.Code, failure.MayBeApplied));
        Assert.Equal((row, field), (failure.Rows[0].Row, failure.Rows[0].Field));
    }

    [Fact]
    public async Task A_conflict_of_transactions_is_a_message_too_and_passes()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(
            PlayedAnswer.Json(
                """{"ids": false, "messages": [{"rows": {"from": 0, "to": 0}, "record": 0, "type": "error", "message": "could not serialize access due to concurrent update\n"}], "nextrow": 0}"""
            )
        );
        var failure = await OdooBed.FailureAsync(() => bed.Client.LoadAsync("loyalty.history", TwoRows(), Ct));
        Assert.Equal((FailureClass.Transient, "odoo-busy"), (failure.Class, failure.Code));
    }

    [Theory]
    [InlineData("""{"ids": [176], "messages": [], "nextrow": 0}""")]
    [InlineData("""{"ids": false, "messages": [], "nextrow": 0}""")]
    [InlineData("""{"messages": []}""")]
    [InlineData("true")]
    public async Task Fewer_ids_than_rows_are_no_success(string text)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Json(text));
        var failure = await OdooBed.FailureAsync(() => bed.Client.LoadAsync("loyalty.history", TwoRows(), Ct));
        Assert.Equal((FailureClass.Transient, "odoo-answer", true), (failure.Class, failure.Code, failure.MayBeApplied));
    }

    [Fact]
    public async Task Warnings_do_not_hide_success()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Json("""{"ids": [1, 2], "messages": [{"type": "warning", "message": "rounded"}], "nextrow": 0}"""));
        Assert.Equal([1, 2], await bed.Client.LoadAsync("loyalty.history", TwoRows(), Ct));
    }

    [Fact]
    public async Task Nothing_to_load_is_no_call()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        Assert.Empty(await bed.Client.LoadAsync("loyalty.history", new LoadTable("issued"), Ct));
        Assert.Empty(bed.Server.Calls);
    }

    [Theory]
    [InlineData("move_1")]
    [InlineData("cdc.move 1")]
    [InlineData("cdc.move.1")]
    [InlineData(".move")]
    public void A_name_that_Odoo_would_take_for_another_is_refused(string externalId) =>
        Assert.Throws<ArgumentException>(() => new LoadTable("issued").Add(externalId, "5"));

    [Fact]
    public void Each_row_has_a_cell_for_each_column() => Assert.Throws<ArgumentException>(() => new LoadTable("issued").Add("cdc.move_1"));

    private static LoadTable TwoRows()
    {
        var table = new LoadTable("card_id/.id", "issued");
        table.Add("cdc.move_1", "22", "5");
        table.Add("cdc.move_2", "22", null);
        return table;
    }
}
