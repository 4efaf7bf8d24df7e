using System.CommandLine;
using Cdc.Core.Failures;
using Cdc.Cutover.Phases;
using Cdc.Host.Configuration;
using Cdc.Host.Cutovers;
using Cdc.Host.Terminals;

namespace Cdc.Host.Commands;

/// <summary>Moves reads from Odoo to the engine by a plan, scope by scope and step by step, and back.</summary>
internal static class CutoverCommand
{
    private static readonly Argument<string> Scope = new("SCOPE") { Description = "A scope of the plan that runs." };
    private static readonly Option<string?> Why = new("--why") { Description = "The reason, for the record.", HelpName = "TEXT" };
    private static readonly Option<string?> By = new("--by")
    {
        Description = "Who decides, for the record; otherwise the user of this machine.",
        HelpName = "NAME",
    };
    private static readonly Option<string?> To = new("--to")
    {
        Description = "The step to go back to; legacy, if left out.",
        HelpName = "STEP",
    };
    private static readonly Option<bool> Release = new("--release") { Description = "Let it be advanced again." };
    private static readonly Option<bool> AsJson = GlobalOptions.Json();
    private static readonly Option<bool> Yes = GlobalOptions.Yes();

    public static Command Create(CommandHost host) =>
        new("cutover", "Moves reads from Odoo to the engine by a plan, step by step, and back.")
        {
            CutoverPlanCommand.Create(host),
            CutoverPlanCommand.CreateStart(host),
            new ExplainedCommand(
                "status",
                """
                Show where each scope stands, what the next step waits for, and the last decisions.

                Examples:
                  cdc cutover status
                  cdc cutover status --json
                """
            )
            {
                AsJson,
            }.Runs(host, StatusAsync),
            new ExplainedCommand(
                "advance",
                """
                Take a scope one step further, if its gates let it and enough people have said so: running this is saying so.

                Exit code 9 where a gate fails, 11 where one cannot say yet or approvals are missing.

                Examples:
                  cdc cutover advance pilot --why "shadow for four days, no difference"
                """
            )
            {
                Scope,
                Why,
                By,
                Yes,
            }.Runs(host, AdvanceAsync),
            new ExplainedCommand(
                "hold",
                """
                Keep a scope where it is: nobody advances it until it is released. It can go back all the same.

                Examples:
                  cdc cutover hold pilot --why "waits for the audit"
                  cdc cutover hold pilot --release
                """
            )
            {
                Scope,
                Release,
                Why,
                By,
                Yes,
            }.Runs(host, HoldAsync),
            new ExplainedCommand(
                "rollback",
                """
                Take a scope back at once, to legacy or to a step before. No gate is asked.

                Examples:
                  cdc cutover rollback pilot --why "slow answers"
                  cdc cutover rollback pilot --to canary --yes
                """
            )
            {
                Scope,
                To,
                Why,
                By,
                Yes,
            }.Runs(host, RollbackAsync),
            new ExplainedCommand(
                "drill",
                """
                Take a scope back as if a trigger had fired: to the first step of the plan, and held. For rehearsals.

                Examples:
                  cdc cutover drill pilot --why "who is paged?"
                """
            )
            {
                Scope,
                Why,
                By,
                Yes,
            }.Runs(host, DrillAsync),
        };

    private static async Task<int> StatusAsync(CommandContext context, ParseResult parsed, CancellationToken ct)
    {
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var view = await engine.UseAsync(c => CutoverView.ReadAsync(c, ct), ct);
        if (parsed.GetValue(AsJson))
            context.Terminal.Out.WriteLine(Json.Document(view));
        else
            CutoverLines.Write(context.Terminal, view, context.Time.GetUtcNow());
        return ExitCodes.Success;
    }

    private static Task<int> AdvanceAsync(CommandContext context, ParseResult parsed, CancellationToken ct) =>
        DecideAsync(
            context,
            parsed,
            (running, state) =>
            {
                var next = PhaseMachine.Next(running.Plan, state);
                return
                [
                    $"{state.Scope.Name} goes from {running.Plan.NameOf(state.Step)} to {running.Plan.NameOf(next)}, if its gates pass and {running.Plan.Steps[next - 1].Approvals} people have approved",
                    $"the engine answers {running.Plan.Steps[next - 1].Percentage:0.##} percent of its reads then",
                ];
            },
            (connection, decision) => CutoverDesk.AdvanceAsync(connection, decision, ct),
            ct
        );

    private static Task<int> HoldAsync(CommandContext context, ParseResult parsed, CancellationToken ct) =>
        DecideAsync(
            context,
            parsed,
            (_, state) =>
                [
                    parsed.GetValue(Release)
                        ? $"{state.Scope.Name} may be advanced again"
                        : $"nobody can advance {state.Scope.Name} until it is released; its reads stay as they are",
                ],
            (connection, decision) =>
                parsed.GetValue(Release)
                    ? CutoverDesk.ReleaseAsync(connection, decision, ct)
                    : CutoverDesk.HoldAsync(connection, decision, ct),
            ct
        );

    private static Task<int> RollbackAsync(CommandContext context, ParseResult parsed, CancellationToken ct) =>
        DecideAsync(
            context,
            parsed,
            (running, state) =>
            {
                var to = CutoverDesk.StepOf(running.Plan, parsed.GetValue(To));
                return
                [
                    $"{state.Scope.Name} goes back from {running.Plan.NameOf(state.Step)} to {running.Plan.NameOf(to)} at once",
                    $"the engine answers {(to == 0 ? 0 : running.Plan.Steps[to - 1].Percentage):0.##} percent of its reads then, Odoo all others",
                ];
            },
            (connection, decision) => CutoverDesk.RollbackAsync(connection, decision, parsed.GetValue(To), ct),
            ct
        );

    private static Task<int> DrillAsync(CommandContext context, ParseResult parsed, CancellationToken ct) =>
        DecideAsync(
            context,
            parsed,
            (running, state) =>
                [
                    $"{state.Scope.Name} goes back from {running.Plan.NameOf(state.Step)} to {running.Plan.NameOf(1)} at once, and is held",
                    "Odoo answers its reads then, and the alert CdcCutoverTripped fires",
                ],
            (connection, decision) => CutoverDesk.DrillAsync(connection, decision, ct),
            ct
        );

    private static async Task<int> DecideAsync(
        CommandContext context,
        ParseResult parsed,
        Func<RunningPlan, ScopeState, IReadOnlyList<string>> happens,
        Func<Npgsql.NpgsqlConnection, Decision, Task<ScopeState>> decide,
        CancellationToken ct
    )
    {
        await using var engine = CommandContext.Engine(context.Options(Needs.Engine));
        var running = await engine.UseAsync(c => CutoverTable.RunningAsync(c, locked: false, ct), ct) ?? throw CutoverDesk.NoPlan();
        var state = running.Scope(parsed.GetRequiredValue(Scope));
        Confirmation.Obtain(context.Terminal, happens(running, state), parsed.GetValue(Yes));
        var decision = new Decision(state.Scope.Name, Who(parsed.GetValue(By)), parsed.GetValue(Why), state.Version);
        var after = await engine.UseAsync(c => decide(c, decision), ct);
        context.Terminal.Out.WriteLine(
            $"{after.Scope.Name} is at {running.Plan.NameOf(after.Step)}{(after.Held is { } why ? $", held: {why}" : "")}"
        );
        return ExitCodes.Success;
    }

    public static string Who(string? by) => by ?? $"{Environment.UserName}@{Environment.MachineName}";
}
