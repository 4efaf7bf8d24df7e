using Cdc.Api.Replicas;
using Cdc.Core.Changes;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class AnswerFloorsTests
{
    private readonly AnswerFloors _floors = new();

    [Fact]
    public void Who_has_replayed_less_than_an_answer_showed_of_any_of_its_subjects_is_refused()
    {
        var (card, code) = (AnswerSubject.Card(7), AnswerSubject.Code("A"));
        Assert.True(_floors.Allow([card, code], Lsn.Zero));
        _floors.Raise([code], new Lsn(100));
        Assert.False(_floors.Allow([card, code], new Lsn(99)));
        Assert.True(_floors.Allow([card], new Lsn(99)));
        Assert.True(_floors.Allow([card, code], new Lsn(100)));
    }

    [Fact]
    public void A_floor_never_falls()
    {
        _floors.Raise([AnswerSubject.Partner(1)], new Lsn(100));
        _floors.Raise([AnswerSubject.Partner(1)], new Lsn(50));
        Assert.False(_floors.Allow([AnswerSubject.Partner(1)], new Lsn(99)));
    }
}
