using Cdc.Capture.Checks;
using Xunit;

namespace Cdc.Tests.Unit.Capture;

public sealed class ServerCheckTests
{
    private static readonly ServerCheck Ready = new(
        140000,
        "logical",
        IsStandby: false,
        "1GB",
        0,
        10,
        0,
        10,
        "cdc",
        "odoo",
        IsSuperuser: false,
        MayReplicate: true,
        MayCreate: true
    );

    [Fact]
    public void A_source_that_is_ready_has_no_findings() => Assert.Empty(Ready.Findings(hasSlot: false, isStreaming: false));

    [Theory]
    [InlineData(130012)]
    [InlineData(96024)]
    public void A_source_older_than_14_is_refused_with_what_to_do(int version)
    {
        var finding = Assert.Single((Ready with { VersionNumber = version }).Findings(hasSlot: false, isStreaming: false));
        Assert.Equal(("server-version", true), (finding.Code, finding.IsError));
        Assert.Contains("Upgrade", finding.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(180000, "replica", true)]
    [InlineData(190000, "replica", false)]
    [InlineData(190000, "minimal", true)]
    public void A_restart_for_wal_level_is_asked_for_only_where_a_slot_cannot_raise_it(int version, string level, bool isFound) =>
        Assert.Equal(
            isFound ? ["wal-level"] : [],
            (Ready with { VersionNumber = version, WalLevel = level }).Findings(hasSlot: false, isStreaming: false).Select(f => f.Code)
        );
}
