using Cdc.Capture.Tables;
using Cdc.Core.Changes;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class TableStandingTests
{
    private static readonly TableFingerprint Known = new(1, 1, "id:1:23:0;publication:5;;7/8", 100);

    private readonly TableStanding _standing = new();

    [Fact]
    public void What_has_not_changed_goes_on()
    {
        Assert.Equal(TableStep.None, Next(false, Known, Good("a")));
        Assert.Equal(TableStep.None, Next(false, Known with { BarrierXid = 3 }, Good("b")));
    }

    [Fact]
    public void What_changed_unseen_or_was_never_seen_is_read_again()
    {
        Assert.Equal(TableStep.ReadAgain, Next(false, Known with { FileNode = 2 }, Good("a")));
        Assert.Equal(TableStep.ReadAgain, Next(false, null, Good("a")));
    }

    [Fact]
    public void A_stop_is_said_once_and_again_where_its_reason_is_another_one()
    {
        Assert.Equal(TableStep.Stop, Next(false, Known, Bad("filter")));
        Assert.Equal(TableStep.None, Next(true, Known, Bad("filter")));
        Assert.Equal(TableStep.Stop, Next(true, Known, Bad("gone")));
        Assert.Equal(TableStep.None, Next(true, Known, Bad("gone")));
    }

    [Fact]
    public void A_stopped_table_that_can_be_followed_is_read_again_though_nothing_differs()
    {
        Assert.Equal(TableStep.ReadAgain, Next(true, Known, Good("a")));
        Assert.Equal(TableStep.Stop, Next(false, Known, Bad("filter")));
        Assert.Equal(TableStep.ReadAgain, Next(true, Known, Good("a")));
    }

    /// <summary>Without it the table would be read again and again, and be called streaming meanwhile.</summary>
    [Fact]
    public void What_the_stream_stops_again_under_an_unchanged_catalog_stays_stopped_until_that_changes()
    {
        Assert.Equal(TableStep.ReadAgain, Next(true, Known, Good("a")));
        Assert.Equal(TableStep.None, Next(false, Known, Good("a")));
        TableStep[] steps = [.. Enumerable.Range(0, 4).Select(_ => Next(true, Known, Good("a")))];
        Assert.Equal([TableStep.None, TableStep.StayStopped, TableStep.None, TableStep.None], steps);
        Assert.Equal(TableStep.ReadAgain, Next(true, Known, Good("b")));
        Assert.Equal(TableStep.None, Next(false, Known, Good("b")));
    }

    private TableStep Next(bool stopped, TableFingerprint? known, TableSighting now) => _standing.Next(stopped, known, now);

    private static TableSighting Good(string version) => new(null, Known, version);

    private static TableSighting Bad(string reason) => new(reason, null, "");
}
