using Cdc.Cutover.Gates;
using Cdc.Cutover.Phases;
using Cdc.Cutover.Plans;
using Cdc.Engine.Status;

namespace Cdc.Tests.Unit.Cutover;

/// <summary>Plans and facts of tests.</summary>
internal static class Plans
{
    public static readonly DateTimeOffset Now = new(2026, 12, 1, 2, 30, 0, TimeSpan.Zero);

    public static readonly GateReport Pass = new([new Gate("state", Verdict.Pass, "it is")]);

    /// <summary>The usual steps, of which the second needs two people.</summary>
    public static readonly CutoverPlan Usual = new()
    {
        Name = "test",
        Scopes = [new() { Name = "pilot", Companies = [1] }, new() { Name = "rest" }],
        Steps = [PlanStep.Usual[0], PlanStep.Usual[1] with { Approvals = 2 }, .. PlanStep.Usual.Skip(2)],
    };

    public static readonly PipelineStanding Good = new("streaming", 1, [], 0, 100_000, 0, 60);

    public static ScopeState At(int step, int scope = 0) => new(Usual.Scopes[scope], step, null, Now, 1);
}
