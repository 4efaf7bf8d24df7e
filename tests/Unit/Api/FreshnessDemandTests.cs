using Cdc.Api.Engine;
using Cdc.Api.Freshness;
using Cdc.Core.Changes;
using Cdc.Core.Operations;
using Cdc.Core.Progress;
using Cdc.Engine.Tables;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Xunit;

namespace Cdc.Tests.Unit.Api;

public sealed class FreshnessDemandTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("", null, null, null, 2)]
    [InlineData("?other=1", null, null, null, 2)]
    [InlineData("?min-position=3:0/A", 3, 10L, null, 2)]
    [InlineData("?min-position=0/A&wait=0.5", null, 10L, null, 0.5)]
    [InlineData("?min-position=3:0/A:-7&max-staleness=4&wait=99", 3, 11L, 4d, 10)]
    public void A_query_is_read(string query, int? generation, long? lsn, double? staleness, double wait)
    {
        var demand = FreshnessDemand.Read(Parse(query), out var problem);
        Assert.Null(problem);
        Assert.Equal(
            new FreshnessDemand(
                lsn is { } at ? new PositionDemand(generation, new Lsn((ulong)at)) : null,
                staleness is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                TimeSpan.FromSeconds(wait)
            ),
            demand
        );
    }

    [Theory]
    [InlineData("?min-position=x", "invalid-position")]
    [InlineData("?max-staleness=-1", "invalid-staleness")]
    [InlineData("?wait=NaN", "invalid-wait")]
    public void What_is_no_demand_is_refused(string query, string word)
    {
        Assert.Null(FreshnessDemand.Read(Parse(query), out var problem));
        Assert.Equal(word, problem!.Word);
    }

    [Fact]
    public void A_position_is_reached_in_its_generation_alone_and_one_without_in_any()
    {
        var (of2, ofAny) = (new PositionDemand(2, new Lsn(5)), new PositionDemand(null, new Lsn(5)));
        Assert.Equal(
            [(false, false), (true, true), (false, true)],
            ((AppliedThrough[])[new(2, new Lsn(4)), new(2, new Lsn(5)), new(3, new Lsn(6))]).Select(t =>
                (of2.IsReachedBy(t), ofAny.IsReachedBy(t))
            )
        );
        Assert.Equal((true, false, true), (of2.IsOfGeneration(At(2, 1)), of2.IsOfGeneration(At(3, 1)), ofAny.IsOfGeneration(At(3, 1))));
    }

    [Fact]
    public void A_moment_is_enough_when_it_is_far_enough_young_enough_and_not_before_what_was_answered()
    {
        var clock = new FreshnessClock(TimeProvider.System);
        clock.Add(new SourceMoment(Noon, new Lsn(1_000), "1"));
        var (old, young) = (Moment(10, Noon.AddSeconds(-60)), Moment(20, Noon));
        Assert.Equal((true, true), Met(FreshnessDemand.None));
        Assert.Equal((false, true), Met(FreshnessDemand.None with { MinPosition = new PositionDemand(1, new Lsn(20)) }));
        Assert.Equal((false, true), Met(FreshnessDemand.None with { MaxStaleness = TimeSpan.FromSeconds(50) }));
        clock.Issue(young);
        Assert.Equal((false, true), Met(FreshnessDemand.None));
        // Its age is not known.
        var none = Moment(30, null) with
        {
            SystemIdentifier = "2",
        };
        Assert.False((FreshnessDemand.None with { MaxStaleness = TimeSpan.FromDays(1) }).IsMetBy(none, clock));

        (bool, bool) Met(FreshnessDemand demand) => (demand.IsMetBy(old, clock), demand.IsMetBy(young, clock));
    }

    [Fact]
    public void What_meets_the_strictest_meets_each_whatever_the_order()
    {
        PositionDemand?[] positions = [null, new(null, new Lsn(5)), new(1, new Lsn(3)), new(1, new Lsn(9)), new(2, new Lsn(4))];
        TimeSpan?[] ages = [null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60)];
        FreshnessDemand[] demands =
        [
            .. from position in positions
            from age in ages
            from engine in (bool[])[false, true]
            select new FreshnessDemand(position, age, TimeSpan.FromSeconds(2), engine),
        ];
        foreach (var a in demands)
        foreach (var b in demands)
        {
            var both = FreshnessDemand.Strictest([a, b]);
            foreach (var generation in (int[])[1, 2])
            foreach (var lsn in (ulong[])[1, 3, 4, 5, 9])
            {
                var moment = Moment(lsn, null) with { Through = At(generation, lsn) };
                Assert.Equal(
                    !a.EngineOnly && !b.EngineOnly && a.IsReachedBy(moment) && b.IsReachedBy(moment),
                    !both.EngineOnly && both.IsReachedBy(moment)
                );
            }
            foreach (var lag in (double?[])[null, 0.5, 30, 100])
            {
                var freshness = new Freshness(null, lag);
                Assert.Equal(a.IsFreshEnough(freshness) && b.IsFreshEnough(freshness), both.IsFreshEnough(freshness));
            }
        }
    }

    private static EngineMoment Moment(ulong lsn, DateTimeOffset? asOf) =>
        new(SourceState.Streaming, At(1, lsn), "1", asOf, TableState.Streaming);

    private static AppliedThrough At(int generation, ulong lsn) => new(generation, new Lsn(lsn));

    private static QueryCollection Parse(string query) => new(QueryHelpers.ParseQuery(query));
}
