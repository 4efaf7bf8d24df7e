using Cdc.Capture.Checks;
using Cdc.Capture.Slot;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

/// <summary>Settings that no server on this machine may have; those of 17 and 18 are tested on such servers.</summary>
public sealed class SlotSettingsTests
{
    private static readonly SlotSettings None = new(null, null, [], HasStandbys: false);
    private static readonly SlotInfo Slot = new("cdc", "pgoutput", "odoo", false, false, null, null, "reserved", null)
    {
        IsFailover = true,
    };

    [Theory]
    [InlineData("pgoutput, test_decoding", true)]
    [InlineData("wal2json,pgoutput", true)]
    [InlineData("\"pgoutput\"", true)]
    [InlineData("wal2json", false)]
    [InlineData("", false)]
    [InlineData("pgoutput2, \"a, pgoutput\"", false)]
    [InlineData("$libdir/pgoutput", false)]
    public void A_server_that_does_not_list_pgoutput_is_refused(string setting, bool isListed)
    {
        var findings = (None with { OutputPlugins = setting }).Findings(null, "odoo").ToList();
        Assert.Equal(isListed ? [] : ["output-plugin"], findings.Select(f => f.Code));
        Assert.All(findings, f => Assert.True(f.IsError));
    }

    [Fact]
    public void A_server_without_these_settings_has_no_findings() => Assert.Empty(None.Findings(Slot, "odoo"));

    [Theory]
    [InlineData(null, false, false, "which does not exist")]
    [InlineData(false, true, false, "which is not the slot of a standby")]
    [InlineData(true, false, true, "which is lost")]
    [InlineData(true, false, false, "which no standby reads")]
    [InlineData(true, true, false, null)]
    public void A_slot_that_the_stream_waits_for_is_named_with_why(bool? isPhysical, bool isActive, bool isLost, string? reason)
    {
        var findings = (None with { Awaited = [new AwaitedSlot("standby", isPhysical, isActive, isLost)] }).Findings(Slot, "odoo").ToList();
        if (reason is null)
            Assert.Empty(findings);
        else
            Assert.Contains(reason, Assert.Single(findings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_a_slot_with_failover_waits_and_one_without_is_named_where_there_are_standbys()
    {
        var settings = None with { Awaited = [new AwaitedSlot("standby", null, false, false)], HasStandbys = true };
        Assert.Equal(["slot-failover"], settings.Findings(Slot with { IsFailover = false }, "odoo").Select(f => f.Code));
        Assert.Empty(settings.Findings(Slot with { IsFailover = null }, "odoo"));
        Assert.Empty(settings.Findings(Slot with { WalStatus = "lost" }, "odoo"));
        Assert.Empty(settings.Findings(null, "odoo"));
    }

    [Theory]
    [InlineData("a, b", "a|b")]
    [InlineData("\"a,b\" , c", "a,b|c")]
    [InlineData("\"a\"\"b\"", "a\"b")]
    [InlineData("", "")]
    [InlineData(" , ", "")]
    public void Names_are_parted_by_commas_outside_of_quotes(string setting, string names) =>
        Assert.Equal(names, string.Join('|', NameList.Parse(setting)));

    [Theory]
    [InlineData("idle_timeout", "idle_replication_slot_timeout")]
    [InlineData("rows_removed", "rows of its catalog")]
    [InlineData("wal_level_insufficient", "wal_level")]
    [InlineData("wal_removed", "removed WAL")]
    [InlineData(null, "removed WAL")]
    public void A_lost_slot_says_what_it_was_lost_by(string? reason, string words) =>
        Assert.Contains(words, (Slot with { WalStatus = "lost", InvalidationReason = reason }).Loss, StringComparison.Ordinal);
}
