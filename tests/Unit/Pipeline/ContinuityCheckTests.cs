using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;
using Cdc.Pipeline.Setup;
using Xunit;

namespace Cdc.Tests.Unit.Pipeline;

public sealed class ContinuityCheckTests
{
    private static readonly FollowedSource Followed = new(
        SourceState.Streaming,
        1,
        "system",
        2,
        "odoo",
        "slot",
        "publication",
        Written: new Lsn(100),
        Through: new Lsn(150),
        null,
        null
    );

    private static readonly SlotInfo Slot = new("slot", "pgoutput", "odoo", false, false, null, new Lsn(100), "reserved", null);

    private static readonly IdentifiedSource Now = new(new SourceIdentity("system", 2, "odoo"), FlushLsn: new Lsn(150));

    [Fact]
    public void What_was_followed_goes_on() => Assert.Null(Find(Followed, Slot, Now));

    [Fact]
    public void A_slot_that_stepped_back_in_a_crash_goes_on() =>
        Assert.Null(Find(Followed, Slot with { ConfirmedFlushLsn = new Lsn(10) }, Now));

    [Fact]
    public void A_promoted_standby_that_has_all_that_was_applied_goes_on() =>
        Assert.Null(Find(Followed, Slot, Now with { Identity = Now.Identity with { Timeline = 3 } }, switchPoint: new Lsn(150)));

    [Fact]
    public void A_new_timeline_that_began_before_what_was_applied_is_a_gap() =>
        AssertGap(
            "timeline-changed",
            Find(Followed, Slot, Now with { Identity = Now.Identity with { Timeline = 3 } }, switchPoint: new Lsn(149))
        );

    [Fact]
    public void A_timeline_of_unknown_origin_is_a_gap() =>
        AssertGap("timeline-changed", Find(Followed, Slot, Now with { Identity = Now.Identity with { Timeline = 3 } }));

    [Fact]
    public void A_slot_confirmed_above_what_was_written_is_a_gap() =>
        AssertGap("slot-advanced", Find(Followed, Slot with { ConfirmedFlushLsn = new Lsn(101) }, Now));

    [Fact]
    public void A_missing_a_lost_and_an_invalidated_slot_are_gaps()
    {
        AssertGap("slot-missing", Find(Followed, null, Now));
        AssertGap("slot-lost", Find(Followed, Slot with { WalStatus = "lost" }, Now));
        AssertGap("slot-lost", Find(Followed, Slot with { InvalidationReason = "wal_removed" }, Now));
    }

    [Fact]
    public void Another_system_another_database_and_another_slot_are_gaps()
    {
        AssertGap("source-changed", Find(Followed, Slot, Now with { Identity = Now.Identity with { SystemIdentifier = "other" } }));
        AssertGap("source-changed", Find(Followed, Slot, Now with { Identity = Now.Identity with { DatabaseName = "other" } }));
        AssertGap("slot-renamed", Find(Followed with { Slot = "other" }, Slot, Now));
    }

    [Fact]
    public void Another_database_under_the_same_name_is_a_gap()
    {
        var now = Now with { Identity = Now.Identity with { DatabaseOid = 17 } };
        Assert.Null(Find(Followed with { DatabaseOid = 17 }, Slot, now));
        // An engine of an older version does not know it yet.
        Assert.Null(Find(Followed, Slot, now));
        AssertGap("source-changed", Find(Followed with { DatabaseOid = 16 }, Slot, now));
    }

    [Fact]
    public void A_renamed_database_goes_on_and_a_copy_under_its_name_does_not()
    {
        var followed = Followed with { DatabaseOid = 17 };
        Assert.Null(Find(followed, Slot, Now with { Identity = Now.Identity with { DatabaseName = "other", DatabaseOid = 17 } }));
        AssertGap(
            "source-changed",
            Find(followed, Slot, Now with { Identity = Now.Identity with { DatabaseName = "other", DatabaseOid = 18 } })
        );
        // An engine of an older version does not know that it is the same.
        AssertGap(
            "source-changed",
            Find(Followed, Slot, Now with { Identity = Now.Identity with { DatabaseName = "other", DatabaseOid = 17 } })
        );
    }

    [Fact]
    public void Another_uuid_of_Odoos_is_a_gap_that_can_be_adopted_and_an_unknown_one_is_none()
    {
        var followed = Followed with { DatabaseOid = 17, DatabaseUuid = "a" };
        var now = Now with { Identity = Now.Identity with { DatabaseOid = 17, DatabaseUuid = "a" } };
        Assert.Null(Find(followed, Slot, now));
        Assert.Null(Find(followed, Slot, now with { Identity = now.Identity with { DatabaseUuid = null } }));
        Assert.Null(Find(followed with { DatabaseUuid = null }, Slot, now));
        var other = now with { Identity = now.Identity with { DatabaseUuid = "b" } };
        AssertGap("source-changed", Find(followed, Slot, other));
        Assert.True(IsAdoptable(followed, other));
        // What pg_upgrade leaves: cdc says whether it is the same Odoo, and a person decides.
        var upgraded = now with
        {
            Identity = now.Identity with { SystemIdentifier = "new" },
        };
        Assert.Contains("the same one by its database.uuid", Find(followed, Slot, upgraded)!.Message, StringComparison.Ordinal);
        Assert.True(IsAdoptable(followed, upgraded));
        Assert.Contains(
            "another one by its database.uuid",
            Find(followed, Slot, upgraded with { Identity = upgraded.Identity with { DatabaseUuid = "b" } })!.Message,
            StringComparison.Ordinal
        );
        // A copy beside the original.
        Assert.False(IsAdoptable(followed, now with { Identity = now.Identity with { DatabaseOid = 18, DatabaseUuid = "b" } }));
    }

    [Fact]
    public void A_source_whose_log_ends_before_what_was_applied_is_a_gap() =>
        AssertGap("source-behind", Find(Followed, Slot, Now with { FlushLsn = new Lsn(149) }));

    [Fact]
    public void A_declared_gap_stays_one_until_it_is_accepted() =>
        AssertGap("slot-lost", Find(Followed with { State = SourceState.Gap, GapKind = "slot-lost", GapDetail = "gone" }, Slot, Now));

    [Fact]
    public void A_publication_that_is_missing_was_dropped_only_if_it_is_the_one_that_was_followed()
    {
        AssertGap("publication-missing", Find(Followed, Slot, Now, publication: PublicationState.Missing));
        var renamed = Find(Followed with { Publication = "followed" }, Slot, Now, publication: PublicationState.Missing);
        AssertGap("publication-renamed", renamed);
        Assert.Contains("back to followed", renamed!.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("dropped", renamed.Message, StringComparison.Ordinal);
        Assert.Null(Find(Followed with { State = SourceState.Gap, GapKind = "publication-renamed" }, Slot, Now));
    }

    private static bool IsAdoptable(FollowedSource followed, IdentifiedSource source)
    {
        var now = new PresentSource(source, Slot, PublicationState.Whole, null);
        var options = new SourceOptions { SlotName = "slot", Publication = "publication" };
        return ContinuityCheck.IsAdoptable(followed, ContinuityCheck.FindAll(followed, options, now), now);
    }

    private static DeclaredGapException? Find(
        FollowedSource followed,
        SlotInfo? slot,
        IdentifiedSource now,
        Lsn? switchPoint = null,
        PublicationState publication = PublicationState.Whole
    ) =>
        ContinuityCheck.Find(
            followed,
            new SourceOptions { SlotName = "slot", Publication = "publication" },
            new PresentSource(now, slot, publication, switchPoint)
        );

    private static void AssertGap(string kind, DeclaredGapException? gap)
    {
        Assert.NotNull(gap);
        Assert.Equal(kind, gap.GapKind);
        Assert.NotEmpty(gap.Remedy);
    }
}
