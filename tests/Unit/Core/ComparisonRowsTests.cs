using Cdc.Core.Operations;
using Xunit;

namespace Cdc.Tests.Unit.Core;

public sealed class ComparisonRowsTests
{
    private static readonly ComparisonRows Equal = new(100, 0, 0, 0, 0, 0, []);

    [Fact]
    public void Only_rows_that_were_all_compared_and_do_not_differ_are_consistent()
    {
        Assert.Equal("consistent", Equal.Word);
        Assert.Null(Equal.LeftOut);
        ComparisonRows[] partly =
        [
            Equal with
            {
                InFlight = 1,
            },
            Equal with
            {
                Quarantined = 1,
            },
            Equal with
            {
                Holes = 1,
            },
            Equal with
            {
                Loading = 1,
            },
            Equal with
            {
                Tables = ["card is stopped"],
            },
        ];
        Assert.All(partly, rows => Assert.Equal("inconclusive", rows.Word));
        Assert.All(partly, rows => Assert.Equal("drift", (rows with { Drift = 1 }).Word));
    }

    [Fact]
    public void What_was_left_out_is_named_with_its_reasons()
    {
        var rows = Equal with { Quarantined = 3, InFlight = 2, Tables = ["card is stopped"] };
        Assert.Equal("5 rows not compared (2 in flight, 3 in quarantine); card is stopped", rows.LeftOut);
        Assert.Equal(5, rows.NotCompared);
    }

    [Fact]
    public void Single_rows_leave_the_share_that_differs_that_of_the_whole_and_ranges_do_not()
    {
        Assert.True((Equal with { Quarantined = 3, InFlight = 2, Holes = 1 }).IsOfTheWhole);
        Assert.False((Equal with { Loading = 1 }).IsOfTheWhole);
        Assert.False((Equal with { Tables = ["card is stopped"] }).IsOfTheWhole);
    }
}
