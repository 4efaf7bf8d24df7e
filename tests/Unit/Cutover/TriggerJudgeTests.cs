using Cdc.Cutover.Gates;
using Cdc.Cutover.Plans;
using Xunit;

namespace Cdc.Tests.Unit.Cutover;

/// <summary>What takes a scope back: only what is known, and only above its threshold.</summary>
public sealed class TriggerJudgeTests
{
    private static readonly GateFacts Good = new(Plans.Good, 0, TimeSpan.FromDays(5), new(1000, 10), null);
    private static readonly PlanTriggers All = new() { MaxConflicts = 0 };

    public static TheoryData<string, GateFacts> Fired() =>
        new()
        {
            { "drift", Good with { Standing = Plans.Good with { Compared = 1000, Drift = 11 } } },
            { "shadow", Good with { Shadow = new(1000, 11) } },
            { "lag", Good with { Standing = Plans.Good with { LagSeconds = 1801 } } },
            { "conflicts", Good with { Conflicts = 1 } },
        };

    [Theory]
    [MemberData(nameof(Fired))]
    public void One_fires_above_its_threshold_alone_and_not_where_it_is_off(string name, GateFacts facts)
    {
        Assert.Equal([name], TriggerJudge.Judge(All, facts).Gates.Where(g => g.Verdict == Verdict.Fail).Select(g => g.Name));
        PlanTriggers none = new()
        {
            MaxDriftPercent = null,
            MaxShadowPercent = null,
            MaxLagSeconds = null,
        };
        Assert.Empty(TriggerJudge.Judge(none, facts).Gates);
    }

    [Fact]
    public void Nothing_fires_at_the_thresholds_and_of_what_is_not_known()
    {
        Assert.True(TriggerJudge.Judge(All, Good).Passes);
        var unknown = Good with
        {
            Standing = Plans.Good with { Compared = null, Drift = 9, LagSeconds = null, State = null },
            Shadow = new(99, 99),
        };
        Assert.DoesNotContain(TriggerJudge.Judge(All, unknown).Gates, g => g.Verdict == Verdict.Fail);
    }
}
