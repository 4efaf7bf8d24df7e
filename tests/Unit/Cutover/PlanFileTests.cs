using Cdc.Core.Failures;
using Cdc.Cutover.Phases;
using Cdc.Cutover.Plans;
using Xunit;

namespace Cdc.Tests.Unit.Cutover;

public sealed class PlanFileTests
{
    [Fact]
    public void A_plan_of_names_alone_has_the_usual_steps_and_is_read_back_as_it_is_kept()
    {
        var plan = PlanFile.Parse("""{ "name": "loyalty", "scopes": [{ "name": "all" }] }""", "p.json");
        Assert.Equal(["shadow 0", "canary 10", "half 50", "all 100"], plan.Steps.Select(s => $"{s.Name} {s.Percentage}"));
        Assert.Equal("rust-engine", plan.Flag);
        var text = PlanFile.Text(plan);
        Assert.Equal(text, PlanFile.Text(PlanFile.Parse(text, "again")));
        Assert.Empty(PlanDiff.Of(plan, PlanFile.Parse(text, "again")));
    }

    [Theory]
    [InlineData("""{ "name": "p" }""", "there is no scope")]
    [InlineData("""{ "name": "P p", "scopes": [{ "name": "a" }] }""", "name 'P p'")]
    [InlineData("""{ "name": "p", "scopes": [{ "name": "a" }, { "name": "b" }] }""", "two scopes have all services of all companies")]
    [InlineData(
        """{ "name": "p", "scopes": [{ "name": "a", "companies": [1, 2], "services": ["pos"] }, { "name": "b", "companies": [2], "services": ["pos"] }] }""",
        "two scopes have service pos of company 2"
    )]
    [InlineData("""{ "name": "p", "scopes": [{ "name": "a" }], "steps": [] }""", "the first step has the phase shadow")]
    [InlineData(
        """{ "name": "p", "scopes": [{ "name": "a" }], "steps": [{ "name": "s", "phase": "canary", "percentage": 5 }] }""",
        "the first step has the phase shadow"
    )]
    [InlineData(
        """{ "name": "p", "scopes": [{ "name": "a" }], "steps": [{ "name": "s", "phase": "shadow" }, { "name": "f", "phase": "freeze" }] }""",
        "the phase freeze is about writes, and this version moves reads only"
    )]
    [InlineData(
        """{ "name": "p", "scopes": [{ "name": "a" }], "steps": [{ "name": "s", "phase": "shadow" }, { "name": "f", "phase": "rampp" }] }""",
        "there is no phase 'rampp'"
    )]
    [InlineData(
        """{ "name": "p", "scopes": [{ "name": "a" }], "steps": [{ "name": "s", "phase": "shadow" }, { "name": "c", "phase": "canary", "percentage": 10 }, { "name": "r", "phase": "ramp", "percentage": 10 }] }""",
        "its percentage is above 10"
    )]
    [InlineData(
        """{ "name": "p", "scopes": [{ "name": "a" }], "steps": [{ "name": "s", "phase": "shadow", "approvals": 0, "gates": { "maxLagSeconds": -1 } }] }""",
        "approvals are from 1 to 5"
    )]
    [InlineData("""{ "name": "p", "scopes": [{ "name": "a" }], "stepps": [] }""", "stepps")]
    [InlineData("""{ "name": "p", "scopes": [{ "name": "a", "companies": [3, 3] }] }""", "scope a names 3 twice")]
    [InlineData("""{ "name": "p", "scopes": [null] }""", "a list has null")]
    [InlineData("""{ "name": "p", "scopes": [{ "name": "a", "services": [null] }] }""", "a list has null")]
    [InlineData("""{ "name": "p", "scopes": [{ "name": "a" }], "steps": [null] }""", "a list has null")]
    [InlineData("""{ "name": "p", "scopes": [{ "name": "a" }], "scopes": [{ "name": "b" }] }""", "Duplicate property 'scopes'")]
    [InlineData("not json", "not JSON of a plan's shape")]
    public void What_is_wrong_with_a_plan_is_said(string text, string expected)
    {
        var refused = Assert.Throws<CdcException>(() => PlanFile.Parse(text, "p.json"));
        Assert.Equal(FailureKind.Configuration, refused.Kind);
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_errors_are_said_at_once()
    {
        var refused = Assert.Throws<CdcException>(() => PlanFile.Parse("""{ "name": "", "flag": "?", "steps": [] }""", "p.json"));
        Assert.Equal(4, refused.Message.Split(Environment.NewLine + "  - ").Length - 1);
    }

    [Fact]
    public void A_difference_names_its_place_and_no_other()
    {
        var other = Plans.Usual with
        {
            Steps =
            [
                Plans.Usual.Steps[0],
                new()
                {
                    Name = "few",
                    Phase = PlanPhase.Canary,
                    Percentage = 1,
                },
                .. Plans.Usual.Steps.Skip(1),
            ],
            Scopes = [Plans.Usual.Scopes[0] with { Companies = [1, 3] }, Plans.Usual.Scopes[1]],
        };
        var paths = PlanDiff.Of(Plans.Usual, other).Select(d => d.Path).ToList();
        Assert.Contains("scopes.pilot.companies", paths);
        Assert.Contains("steps.few.percentage", paths);
        Assert.All(paths, p => Assert.True(p == "scopes.pilot.companies" || p.StartsWith("steps.few.", StringComparison.Ordinal), p));
    }

    [Fact]
    public void A_plan_that_takes_anothers_place_keeps_where_scopes_stand_or_is_refused()
    {
        var running = new RunningPlan(1, Plans.Usual, "", Plans.Now, "me", [Plans.At(2), Plans.At(0, scope: 1)]);
        var longer = Plans.Usual with { Scopes = [.. Plans.Usual.Scopes, new() { Name = "new", Companies = [7] }] };
        Assert.Equal([2, 0, 0], Succession.Of(running, longer, Plans.Now).Select(s => s.Step));

        CutoverPlan[] refused =
        [
            Plans.Usual with
            {
                Flag = "another",
            },
            Plans.Usual with
            {
                Scopes = [Plans.Usual.Scopes[1]],
            },
            Plans.Usual with
            {
                Scopes = [Plans.Usual.Scopes[0] with { Companies = [2] }, Plans.Usual.Scopes[1]],
            },
            Plans.Usual with
            {
                Steps = [Plans.Usual.Steps[0], Plans.Usual.Steps[1] with { Percentage = 20 }, .. Plans.Usual.Steps.Skip(2)],
            },
        ];
        Assert.All(
            refused,
            plan => Assert.Equal(FailureKind.Refused, Assert.Throws<CdcException>(() => Succession.Of(running, plan, Plans.Now)).Kind)
        );
        // Where nothing has moved, anything may follow.
        Assert.All(refused, plan => Succession.Of(running with { Scopes = [Plans.At(0), Plans.At(0, 1)] }, plan, Plans.Now));
    }
}
