using Cdc.Odoo.Sequence;
using Cdc.Reverse.Sending;
using Xunit;

namespace Cdc.Tests.Unit.Reverse;

/// <summary>What of Odoo's answer is certain, and what stops a card.</summary>
public sealed class AnswerReaderTests
{
    private static readonly OwnChange First = new(Guid.NewGuid(), 11, 5, 1, null, null);
    private static readonly OwnChange Second = new(Guid.NewGuid(), 12, 11, 1, null, null);
    private static readonly CardChanges Sent = new(7, 12, [First, Second]);

    [Theory]
    [InlineData(SequenceChangeState.Applied, SequenceChangeState.Applied)]
    [InlineData(SequenceChangeState.Past, SequenceChangeState.Applied)]
    [InlineData(SequenceChangeState.Past, SequenceChangeState.Past)]
    public void What_is_applied_or_lies_behind_is_there(SequenceChangeState first, SequenceChangeState second) =>
        Assert.Equal(new CardOutcome(7, 12, null, null), Read(12, first, second));

    [Theory]
    [InlineData(SequenceChangeState.Gap, 4, "set back")]
    [InlineData(SequenceChangeState.Gap, 8, "not the one before")]
    [InlineData(SequenceChangeState.Past, 13, "above every number")]
    [InlineData(SequenceChangeState.Archived, 5, "archived")]
    [InlineData(SequenceChangeState.Refused, 5, "10^12")]
    [InlineData(SequenceChangeState.NoCard, 0, "no such card")]
    public void Everything_else_stops_the_card_there(SequenceChangeState state, long number, string why)
    {
        var outcome = Read(number, state, state);
        Assert.Equal((null, First.Uuid), (outcome.AnsweredTo, outcome.Refused));
        Assert.Contains(why, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_came_before_the_change_that_stops_it_is_there()
    {
        var outcome = Read(11, SequenceChangeState.Applied, SequenceChangeState.Refused);
        Assert.Equal((11, Second.Uuid), (outcome.AnsweredTo, outcome.Refused));
    }

    private static CardOutcome Read(long number, params SequenceChangeState[] states) =>
        AnswerReader.Read(Sent, new SequenceResult(7, SequenceCardState.Known, number, 0, true, states));
}
