using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Engine.Status;
using Cdc.Host.Configuration;
using Cdc.Host.Snapshots;
using Cdc.Host.Status;
using Cdc.Host.Terminals;
using Xunit;

namespace Cdc.Tests.Unit.Host;

public sealed class StatusNumbersTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Percent_rate_and_eta_follow_from_rows()
    {
        var status = SnapshotMath.Of(
            new ChunkCounts(Pending: 5, Done: 5, Rows: 500, RecentRows: 300, WindowSeconds: 60),
            estimatedRows: 1000
        );
        Assert.Equal((50.0, 5.0, 100.0), (status.Percent, status.RowsPerSecond, status.EtaSeconds));
    }

    [Fact]
    public void An_estimate_that_was_too_low_never_says_100_before_the_last_chunk()
    {
        Assert.Equal(99.9, SnapshotMath.Of(new ChunkCounts(1, 9, 2000, 0, 60), estimatedRows: 1000).Percent);
        Assert.Equal(100, SnapshotMath.Of(new ChunkCounts(0, 9, 900, 0, 60), estimatedRows: 1000).Percent);
    }

    [Fact]
    public void Without_an_estimate_chunks_are_counted_and_no_eta_is_invented()
    {
        var status = SnapshotMath.Of(new ChunkCounts(3, 1, 500, 500, 10), estimatedRows: 0);
        Assert.Equal((25.0, null, null), (status.Percent, status.EtaSeconds, status.RowsTotal));
    }

    [Theory]
    [InlineData("0/100", "0/100", true, 0L, 0.0)]
    [InlineData("0/200", "0/100", true, 0L, 0.0)]
    [InlineData("0/100", "0/180", true, 128L, 3600.0)]
    [InlineData("0/100", "1/0", false, 4294967040L, 3600.0)]
    public void Before_the_first_heartbeat_seconds_behind_is_the_age_of_the_last_commit(
        string through,
        string written,
        bool active,
        long bytes,
        double seconds
    )
    {
        var engine = Engine(through);
        var source = Source(written, active);
        Assert.Equal((bytes, seconds), (Lag.Bytes(engine, source), Lag.Seconds(engine, source)));
    }

    [Theory]
    [InlineData(1.5, true, 1.5)]
    [InlineData(1.5, false, 1.5)]
    [InlineData(7200.0, true, 3600.0)]
    [InlineData(-5.0, true, 0.0)]
    public void A_heartbeat_says_how_far_behind_however_much_others_write(double heartbeatAge, bool active, double seconds)
    {
        var engine = Engine("0/100") with { AsOf = Now.AddSeconds(-heartbeatAge) };
        Assert.Equal(seconds, Lag.Seconds(engine, Source("1/0", active)));
        Assert.Equal(0, Lag.Seconds(engine, Source("0/100", active)));
    }

    [Fact]
    public void Lag_against_another_server_is_not_a_number() =>
        Assert.Null(Lag.Bytes(Engine("0/100") with { SystemIdentifier = "2" }, Source("0/200", active: true)));

    [Theory]
    [InlineData("1..5", 1L, 5L)]
    [InlineData("-5..10", -5L, 10L)]
    [InlineData("7..", 7L, null)]
    [InlineData("..7", null, 7L)]
    public void A_range_of_keys_is_half_open_and_may_be_open_at_an_end(string text, long? from, long? to)
    {
        var range = KeyRangeText.TryParse(text)!.Value;
        Assert.Equal((from, to), (range.From, range.To));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("5")]
    [InlineData("5..5")]
    [InlineData("6..5")]
    [InlineData("a..b")]
    [InlineData("1..2..3")]
    public void What_is_no_range_is_refused(string text) => Assert.Null(KeyRangeText.TryParse(text));

    [Theory]
    [InlineData("crad", "card")]
    [InlineData("Histroy", "history")]
    [InlineData("zebra", null)]
    public void The_nearest_name_is_a_typing_error_away(string typed, string? nearest) =>
        Assert.Equal(nearest, NearestName.Of(typed, ["card", "move", "history"]));

    [Fact]
    public void Plain_grids_align_and_cut_nothing()
    {
        var grid = new TextTable("a", "long heading");
        grid.Add(new string('x', 200), "1");
        using var writer = new StringWriter();
        grid.WritePlain(writer);
        Assert.Contains(new string('x', 200) + "  1", writer.ToString(), StringComparison.Ordinal);
    }

    private static EngineStatus Engine(string through) =>
        new()
        {
            State = "streaming",
            Generation = 1,
            Session = 1,
            SystemIdentifier = "1",
            GapKind = null,
            GapDetail = null,
            WrittenLsn = through,
            ThroughLsn = through,
            LastCommitAt = Now.AddHours(-1),
            CheckpointAgeSeconds = 2,
            AsOf = null,
        };

    private static SourceStatus Source(string written, bool active) =>
        new()
        {
            SystemIdentifier = "1",
            Timeline = 1,
            Database = "odoo",
            InsertLsn = written,
            FlushLsn = written,
            Now = Now,
            OldestTransactionSeconds = null,
            Slot = new SlotStatus("s", "pgoutput", "odoo", active, null, "reserved", null, 0, null, null),
        };
}
