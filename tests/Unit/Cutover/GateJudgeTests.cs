using Cdc.Cutover.Flags;
using Cdc.Cutover.Gates;
using Cdc.Cutover.Plans;
using Cdc.Engine.Status;
using Xunit;

namespace Cdc.Tests.Unit.Cutover;

public sealed class GateJudgeTests
{
    private static readonly PlanStep Canary = Plans.Usual.Steps[1];
    private static readonly GateFacts Good = new(Plans.Good, 0, TimeSpan.FromDays(5), new(1000, 1), null);

    public static TheoryData<string, GateFacts, string, Verdict> NotPassed() =>
        new()
        {
            { "state", Good with { Standing = Plans.Good with { State = null } }, "the engine follows no Odoo", Verdict.Fail },
            { "state", Good with { Standing = Plans.Good with { State = "gap" } }, "state is gap", Verdict.Fail },
            { "tables", Good with { Standing = Plans.Good with { NotFollowed = ["card is loading"] } }, "card is loading", Verdict.Fail },
            { "lag", Good with { Standing = Plans.Good with { LagSeconds = 61 } }, "61 seconds behind Odoo, at most 60", Verdict.Fail },
            { "lag", Good with { Standing = Plans.Good with { LagSeconds = null } }, "not known", Verdict.Inconclusive },
            { "quarantine", Good with { Standing = Plans.Good with { Quarantined = 1 } }, "1 rows in quarantine", Verdict.Fail },
            { "compared", Good with { Standing = Plans.Good with { ComparedSeconds = null } }, "not every table", Verdict.Inconclusive },
            { "compared", Good with { Standing = Plans.Good with { ComparedSeconds = 25 * 3600 } }, "25 hours", Verdict.Fail },
            { "drift", Good with { Standing = Plans.Good with { Drift = 101 } }, "0.101 percent", Verdict.Fail },
            { "drift", Good with { Standing = Plans.Good with { Compared = 0 } }, "no rows were compared", Verdict.Inconclusive },
            { "shadow", Good with { Shadow = new(1000, 2) }, "0.2 percent of 1000 compared reads", Verdict.Fail },
            { "shadow", Good with { Shadow = new(99, 99) }, "99 reads were compared in this step, at least 100", Verdict.Inconclusive },
            { "conflicts", Good with { Conflicts = 1 }, "1 conflicts", Verdict.Fail },
            { "time", Good with { InStep = TimeSpan.FromMinutes(5700) }, "60 more", Verdict.Inconclusive },
            { "flag", Good with { FlagStands = "the flag is off" }, "the flag is off", Verdict.Fail },
        };

    [Fact]
    public void Where_all_is_well_every_gate_passes() => Assert.True(GateJudge.Judge(Canary, Good).Passes);

    [Theory]
    [MemberData(nameof(NotPassed))]
    public void A_gate_that_does_not_pass_says_why_and_is_the_only_one(string name, GateFacts facts, string says, Verdict verdict)
    {
        var gate = Assert.Single(GateJudge.Judge(Canary, facts).Missing);
        Assert.Equal((name, verdict), (gate.Name, gate.Verdict));
        Assert.Contains(says, gate.Says, StringComparison.Ordinal);
    }

    [Fact]
    public void Into_shadow_nothing_need_have_been_compared() =>
        Assert.True(
            GateJudge
                .Judge(
                    Plans.Usual.Steps[0],
                    Good with
                    {
                        Standing = Plans.Good with { Compared = null, ComparedSeconds = null },
                        InStep = TimeSpan.Zero,
                    }
                )
                .Passes
        );

    [Fact]
    public void The_flag_is_set_to_the_greatest_share_and_whoever_changes_it_is_named()
    {
        var wanted = FlagStand.Of(Plans.Usual, [Plans.At(2), Plans.At(1, scope: 1)]);
        Assert.Equal((true, 10m, "1"), (wanted.Enabled, wanted.Percentage, string.Join(",", wanted.Companies)));
        Assert.Empty(FlagStand.Of(Plans.Usual, [Plans.At(2), Plans.At(3, scope: 1)]).Companies);
        Assert.False(FlagStand.Of(Plans.Usual, [Plans.At(1)]).Enabled);
        Assert.Null(wanted.Differs(wanted, "f"));
        Assert.Null(new FlagStand(false, 30, [9]).Differs(FlagStand.Of(Plans.Usual, []), "f"));
        Assert.Contains("is off, by on-call", new FlagStand(false, 10, [1], "on-call").Differs(wanted, "f"), StringComparison.Ordinal);
        Assert.NotNull((wanted with { Percentage = 5 }).Differs(wanted, "f"));
        Assert.NotNull((wanted with { Companies = [] }).Differs(wanted, "f"));
    }
}
