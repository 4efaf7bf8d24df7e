using Cdc.Capture;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Progress;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class RedeliveryCheckTests
{
    private static readonly ResumePoint Resume = new(1, 3, new Lsn(150), new ChangePosition(1, new Lsn(100), 4), 77, 1_000);

    [Fact]
    public void The_same_transaction_in_its_place_is_continuity()
    {
        var check = new RedeliveryCheck(Resume, new Lsn(50), "slot");
        check.Begin(new SourceTransaction(70, new Lsn(60), 900));
        check.Begin(new SourceTransaction(77, new Lsn(100), 1_000));
        check.Begin(new SourceTransaction(80, new Lsn(160), 1_100));
    }

    [Fact]
    public void Only_the_low_half_of_a_transaction_id_is_compared_because_the_stream_has_no_other() =>
        new RedeliveryCheck(Resume, new Lsn(50), "slot").Begin(new SourceTransaction(77 + (1UL << 32), new Lsn(100), 1_000));

    [Theory]
    [InlineData(78, 100, 1_000)]
    [InlineData(77, 101, 1_000)]
    [InlineData(77, 100, 1_001)]
    public void Another_transaction_in_its_place_is_a_gap(ulong xid, ulong lsn, long micros)
    {
        var check = new RedeliveryCheck(Resume, new Lsn(50), "slot");
        var gap = Assert.Throws<DeclaredGapException>(() => check.Begin(new SourceTransaction(xid, new Lsn(lsn), micros)));
        Assert.Equal("source-rewound", gap.GapKind);
    }

    [Fact]
    public void A_slot_that_begins_at_the_transaction_sends_it_again() =>
        Assert.Throws<DeclaredGapException>(() =>
            new RedeliveryCheck(Resume, new Lsn(100), "slot").Begin(new SourceTransaction(80, new Lsn(160), 1_100))
        );

    [Fact]
    public void A_slot_that_begins_behind_the_transaction_does_not() =>
        new RedeliveryCheck(Resume, new Lsn(101), "slot").Begin(new SourceTransaction(80, new Lsn(160), 1_100));

    [Fact]
    public void A_generation_without_a_transaction_expects_none() =>
        new RedeliveryCheck(Resume with { LastXid = 0 }, new Lsn(50), "slot").Begin(new SourceTransaction(80, new Lsn(160), 1_100));
}
