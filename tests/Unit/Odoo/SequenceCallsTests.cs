using System.Text.Json.Nodes;
using Cdc.Odoo.Failures;
using Cdc.Odoo.Sequence;
using Xunit;

namespace Cdc.Tests.Unit.Odoo;

/// <summary>The protocol of the server action, as real Odoo 16 and 19 ran it.</summary>
public sealed class SequenceCallsTests
{
    private const long First = 1796000000000001;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly Guid Reference = new("7d444840-9dc0-11d1-b245-5ffdce74fad2");

    [Theory]
    [InlineData("19.0")]
    [InlineData("16.0")]
    public async Task One_change_is_sent_and_applied(string version)
    {
        var change = new SequenceChange(0, First)
        {
            Delta = 2.5,
            Text = "order 17",
            Reference = new Guid("5b0f8f6e-0000-4000-8000-000000000001"),
        };
        var result = await ApplyAsync(version, "One change", SequenceCard.Of(CardOf(version), [change]));
        Assert.Equal((CardOf(version), SequenceCardState.Known, First, 102.5, true), Facts(result));
        Assert.Equal([SequenceChangeState.Applied], result.Changes);
    }

    [Theory]
    [InlineData("19.0")]
    [InlineData("16.0")]
    public async Task Sent_again_it_is_past_and_the_number_reads_the_same(string version)
    {
        var change = new SequenceChange(0, First)
        {
            Delta = 2.5,
            Text = "order 17",
            Reference = new Guid("5b0f8f6e-0000-4000-8000-000000000001"),
        };
        var result = await ApplyAsync(version, "The same call again: past", SequenceCard.Of(CardOf(version), [change]));
        Assert.Equal((First, 102.5), (result.Number, result.Points));
        Assert.Equal([SequenceChangeState.Past], result.Changes);
    }

    [Theory]
    [InlineData("19.0")]
    [InlineData("16.0")]
    public async Task What_lacks_its_predecessor_is_a_gap(string version)
    {
        var result = await ApplyAsync(
            version,
            "The predecessor is missing: gap",
            SequenceCard.Of(CardOf(version), [new SequenceChange(First + 6, First + 7) { Delta = 5 }])
        );
        Assert.Equal([SequenceChangeState.Gap], result.Changes);
        Assert.Equal(First + 5, result.Number);
    }

    [Theory]
    [InlineData("19.0")]
    [InlineData("16.0")]
    public async Task Applied_void_and_gap_come_from_one_call(string version)
    {
        var result = await ApplyAsync(
            version,
            "Applied, void, gap in one call",
            SequenceCard.Of(
                version == "19.0" ? 321 : 143,
                [new(First, First + 1) { Delta = -2.5 }, new(First + 1, First + 2), new(First + 8, First + 9) { Delta = 1 }]
            )
        );
        Assert.Equal([SequenceChangeState.Applied, SequenceChangeState.Applied, SequenceChangeState.Gap], result.Changes);
        Assert.Equal((First + 2, 100.0, true), (result.Number, result.Points, result.IsActive));
    }

    [Theory]
    [InlineData("19.0")]
    [InlineData("16.0")]
    public async Task A_newborn_is_created_with_its_first_change(string version)
    {
        var card = SequenceCard.Newborn(
            Reference,
            new JsonObject
            {
                ["program_id"] = 6,
                ["partner_id"] = 1,
                ["code"] = "CDC-7d444840",
            },
            [
                new(0, 1796100000000001)
                {
                    Delta = 25,
                    Text = "start",
                    Reference = Reference,
                },
            ]
        );
        var result = await ApplyAsync(version, "A new card with its first change", card);
        Assert.Equal((SequenceCardState.Created, 25.0), (result.State, result.Points));
        var again = await ApplyAsync(version, "The same create again", card);
        Assert.Equal((SequenceCardState.Known, 25.0), (again.State, again.Points));
        Assert.Equal([SequenceChangeState.Past], again.Changes);
    }

    [Theory]
    [InlineData("19.0")]
    [InlineData("16.0")]
    public async Task A_card_that_was_deleted_is_not_made_again(string version)
    {
        var card = SequenceCard.Newborn(
            new Guid("9d444840-9dc0-11d1-b245-5ffdce74fad3"),
            new JsonObject { ["program_id"] = 6, ["code"] = "CDC-X" },
            [new(0, 1796100000000001) { Delta = 25, Text = "start" }]
        );
        var result = await ApplyAsync(version, "A late duplicate of a create, the card was deleted: no-card", card);
        Assert.Equal((0, SequenceCardState.NoCard, 0, 0.0, true), Facts(result));
        Assert.Equal([SequenceChangeState.NoCard], result.Changes);
    }

    [Fact]
    public async Task An_archived_card_says_so()
    {
        var result = await ApplyAsync(
            "19.0",
            "An archived card",
            SequenceCard.Of(321, [new SequenceChange(First + 3, First + 4) { Delta = 1 }])
        );
        Assert.Equal([SequenceChangeState.Archived], result.Changes);
        Assert.False(result.IsActive);
    }

    [Fact]
    public async Task Values_go_beside_the_delta()
    {
        var values = new JsonObject { ["expiration_date"] = "2027-01-31" };
        var card = SequenceCard.Of(211, [new SequenceChange(First + 4, First + 5) { Values = values }]) with { EvenArchived = true };
        var json = card.ToJson();
        Assert.Equal("""{"expiration_date":"2027-01-31"}""", json["changes"]![0]!["values"]!.ToJsonString());
        Assert.True(json["archived"]!.GetValue<bool>());
        Assert.Equal(0.0, json["changes"]![0]!["delta"]!.GetValue<double>());
        // The card's own values stay the caller's.
        Assert.Null(values.Parent);
    }

    [Theory]
    [InlineData("points")]
    [InlineData("x_cdc_seq")]
    public void What_the_action_would_ignore_is_refused_here(string field)
    {
        var values = new JsonObject { [field] = 9 };
        Assert.Throws<ArgumentException>(() => SequenceCard.Newborn(Reference, values, []));
        Assert.Throws<ArgumentException>(() => new SequenceChange(0, 1) { Values = values }.ToJson());
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(6, 5)]
    [InlineData(-1, 5)]
    [InlineData(0, 1L << 53)]
    public void Numbers_grow_and_are_exact_as_doubles(long after, long number) =>
        Assert.Throws<ArgumentException>(() => new SequenceChange(after, number).ToJson());

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_delta_is_a_number(double delta) =>
        Assert.Throws<ArgumentException>(() => new SequenceChange(0, 1) { Delta = delta }.ToJson());

    [Theory]
    [InlineData("""{"type": "ir.actions.act_window_close", "infos": []}""")]
    [InlineData("""{"type": "ir.actions.act_window"}""")]
    [InlineData("""{"infos": [{"card": 7, "state": "known", "seq": 1, "points": 1.0, "changes": ["applied"]}]}""")]
    [InlineData("""{"infos": [{"card": 32, "state": "lost", "seq": 1, "points": 1.0, "changes": ["applied"]}]}""")]
    [InlineData("""{"infos": [{"card": 32, "state": "known", "seq": 1.5, "points": 1.0, "changes": ["applied"]}]}""")]
    [InlineData("""{"infos": [{"card": 32, "state": "known", "seq": 1, "points": 1.0, "changes": ["repeated"]}]}""")]
    [InlineData("""{"infos": [{"card": 32, "state": "known", "seq": 1, "points": 1.0, "changes": []}]}""")]
    [InlineData("""{"infos": [{"id": "9000000001", "state": "applied", "history": 203, "points": 417.5}]}""")]
    [InlineData("false")]
    [InlineData("null")]
    public async Task An_answer_of_another_action_stops_everything(string text)
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Json(text));
        var failure = await OdooBed.FailureAsync(() =>
            new SequenceCalls(bed.Client, 502).ApplyAsync([SequenceCard.Of(32, [new SequenceChange(0, 1)])], Ct)
        );
        Assert.Equal((FailureClass.Systemic, "odoo-action", true), (failure.Class, failure.Code, failure.MayBeApplied));
    }

    [Fact]
    public async Task It_is_sent_again_where_its_answer_was_lost()
    {
        await using var bed = await OdooBed.StartAsync("19.0", Ct);
        bed.Server.Play(PlayedAnswer.Cut, RecordedAnswer.Json2("The same call again: past"));
        var results = await new SequenceCalls(bed.Client, 502).ApplyAsync(
            [SequenceCard.Of(211, [new SequenceChange(0, First) { Delta = 2.5 }])],
            Ct
        );
        Assert.Equal([SequenceChangeState.Past], results.Single().Changes);
        RecordedCallsTests.Same(bed.Server.Calls[0].Body!, bed.Server.Calls[1].Body!);
    }

    private static long CardOf(string version) => version == "19.0" ? 211 : 32;

    private static async Task<SequenceResult> ApplyAsync(string version, string name, SequenceCard card)
    {
        var is19 = version == "19.0";
        var recorded = is19 ? RecordedAnswer.Json2(name) : RecordedAnswer.JsonRpc(name);
        await using var bed = await OdooBed.StartAsync(version, Ct);
        bed.Server.Play(recorded);
        var results = await new SequenceCalls(bed.Client, is19 ? 502 : 434).ApplyAsync([card], Ct);

        var call = bed.Server.Calls.Single();
        RecordedCallsTests.IsSent(recorded, call);
        var context = is19 ? recorded.Arguments["context"]! : recorded.ExecuteKw.Named["context"]!;
        RecordedCallsTests.Same(context["cdc_cards"]!, call.Context["cdc_cards"]!);
        Assert.True(call.Context["loyalty_no_mail"]!.GetValue<bool>());
        return results.Single();
    }

    private static (long, SequenceCardState, long, double, bool) Facts(SequenceResult r) =>
        (r.Card, r.State, r.Number, r.Points, r.IsActive);
}
