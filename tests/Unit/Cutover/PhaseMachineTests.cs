using Cdc.Core.Failures;
using Cdc.Cutover.Gates;
using Cdc.Cutover.Phases;
using Cdc.Tests.Support;
using Xunit;

namespace Cdc.Tests.Unit.Cutover;

public sealed class PhaseMachineTests
{
    [Fact]
    public void No_sequence_of_commands_leads_to_a_step_whose_gates_were_not_passed_and_back_is_possible_from_each()
    {
        var seed = TestSeed.Draw();
        var random = new Random(seed);
        for (var run = 0; run < 500; run++)
        {
            var (state, passed) = (Plans.At(0), 0);
            for (var command = 0; command < 60; command++)
            {
                var (before, now) = (state, state.Since.AddMinutes(1));
                var gates = random.Next(3) == 0 ? new GateReport([new Gate("lag", (Verdict)random.Next(1, 3), "no")]) : Plans.Pass;
                var approvals = random.Next(4);
                try
                {
                    state = random.Next(7) switch
                    {
                        0 => PhaseMachine.Hold(state, "why"),
                        1 => PhaseMachine.Release(state),
                        2 => PhaseMachine.Rollback(Plans.Usual, state, random.Next(-1, Plans.Usual.Steps.Count + 2), now),
                        3 => PhaseMachine.Trip(Plans.Usual, state, "why", now),
                        _ => PhaseMachine.Advance(Plans.Usual, state, gates, approvals, now),
                    };
                }
                catch (CdcException refused)
                {
                    Assert.True(refused.Kind is FailureKind.Refused or FailureKind.Inconclusive, $"{refused} (seed {seed})");
                    continue;
                }
                Assert.True(state.Version == before.Version + 1, $"seed {seed}");
                if (state.Step > before.Step)
                {
                    // One step, through its gates and approvals, and not while it was held.
                    Assert.True(
                        state.Step == before.Step + 1
                            && before.Held is null
                            && gates.Passes
                            && approvals >= Plans.Usual.Steps[state.Step - 1].Approvals,
                        $"seed {seed}: {before} -> {state}"
                    );
                    passed = Math.Max(passed, state.Step);
                }
                Assert.True(state.Step <= passed, $"seed {seed}: {before} -> {state}");
                for (var to = 0; to < state.Step; to++)
                    Assert.Equal(to, PhaseMachine.Rollback(Plans.Usual, state, to, now).Step);
            }
        }
    }

    [Fact]
    public void A_gate_that_fails_refuses_and_one_that_cannot_say_is_inconclusive()
    {
        static GateReport Report(params Verdict[] verdicts) => new([.. verdicts.Select(v => new Gate("g" + v, v, "because " + v))]);
        var failed = Refused(Report(Verdict.Pass, Verdict.Fail, Verdict.Inconclusive));
        Assert.Equal(FailureKind.Refused, failed.Kind);
        Assert.Contains("gFail: because Fail", failed.Message, StringComparison.Ordinal);
        Assert.Contains("gInconclusive", failed.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("gPass", failed.Message, StringComparison.Ordinal);
        Assert.Equal(FailureKind.Inconclusive, Refused(Report(Verdict.Pass, Verdict.Inconclusive)).Kind);
    }

    [Fact]
    public void Approvals_that_are_missing_are_counted()
    {
        var missing = Assert.Throws<CdcException>(() => PhaseMachine.Advance(Plans.Usual, Plans.At(1), Plans.Pass, 1, Plans.Now));
        Assert.Equal(FailureKind.Inconclusive, missing.Kind);
        Assert.Contains("1 of 2 people have approved of canary", missing.Message, StringComparison.Ordinal);
        Assert.Equal(2, PhaseMachine.Advance(Plans.Usual, Plans.At(1), Plans.Pass, 2, Plans.Now).Step);
    }

    [Fact]
    public void Behind_the_last_step_there_is_nothing_yet() =>
        Assert.Contains(
            "come with the next part",
            Assert.Throws<CdcException>(() => PhaseMachine.Next(Plans.Usual, Plans.At(4))).Remedy,
            StringComparison.Ordinal
        );

    private static CdcException Refused(GateReport gates) =>
        Assert.Throws<CdcException>(() => PhaseMachine.Advance(Plans.Usual, Plans.At(0), gates, 9, Plans.Now));
}
