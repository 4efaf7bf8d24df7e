using System.Text.Json;
using System.Text.Json.Serialization;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Cutover.Flags;
using Cdc.Cutover.Gates;
using Cdc.Cutover.Plans;
using Cdc.Cutover.Shadow;
using Cdc.Engine.Status;
using Npgsql;

namespace Cdc.Cutover.Phases;

/// <summary>Who decides, and about which state: a scope that somebody else has changed since is left alone.</summary>
/// <param name="Version">Of the state that was shown; null: none was.</param>
public sealed record Decision(string Scope, string By, string? Why, long? Version);

/// <summary>How everything stands but the scopes themselves, at one moment.</summary>
/// <param name="Now">By the engine's clock.</param>
/// <param name="Flag">Null: it was never made.</param>
/// <param name="FlagDiffers">Null: it is as the phases have set it. Otherwise what somebody made of it.</param>
public sealed record CutoverLook(PipelineStanding Standing, DateTimeOffset Now, FlagStand? Flag, string? FlagDiffers);

/// <summary>
/// Decisions about a cutover, each one transaction: state, flag, record and announcement. Killed in between, the old state stands. Times are
/// of the engine's clock: that of a lead's laptop lets nobody through a gate an hour early.
/// </summary>
public static class CutoverDesk
{
    private static readonly JsonSerializerOptions Evidence = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The gates before a scope's next step.</summary>
    /// <exception cref="CdcException">Refused: it has no next step, or is held.</exception>
    public static async Task<GateReport> JudgeAsync(
        NpgsqlConnection connection,
        RunningPlan running,
        CutoverLook look,
        ScopeState state,
        CancellationToken ct
    )
    {
        var next = PhaseMachine.Next(running.Plan, state);
        return GateJudge.Judge(running.Plan.Steps[next - 1], await FactsAsync(connection, look, state, ct));
    }

    /// <summary>
    /// Takes back every scope whose reads the engine answers and one of whose triggers fires. Any number of processes may look at once: a
    /// scope that somebody else has changed meanwhile is left alone.
    /// </summary>
    /// <returns>The plan that runs, as it is after that, and the scopes that were taken back; null: none runs.</returns>
    public static async Task<(RunningPlan Running, IReadOnlyList<ScopeState> Tripped)?> WatchAsync(
        NpgsqlConnection connection,
        CancellationToken ct
    )
    {
        if (await CutoverTable.RunningAsync(connection, locked: false, ct) is not { } running)
            return null;
        var tripped = new List<ScopeState>();
        CutoverLook? look = null;
        foreach (var state in running.Scopes.Where(s => s.PercentageIn(running.Plan) > 0))
        {
            look ??= await LookAsync(connection, running, ct);
            var judged = TriggerJudge.Judge(running.Plan.Triggers, await FactsAsync(connection, look, state, ct));
            if (judged.Gates.FirstOrDefault(g => g.Verdict == Verdict.Fail) is not { } fired)
                continue;
            try
            {
                tripped.Add(
                    await TripAsync(
                        connection,
                        new Decision(state.Scope.Name, "cdc", $"{fired.Name}: {fired.Says}", state.Version),
                        judged,
                        ct
                    )
                );
            }
            catch (CdcException e) when (e.Kind is FailureKind.Refused or FailureKind.Usage)
            {
                // Somebody was quicker.
            }
        }
        var after = running.Scopes.Select(s => tripped.FirstOrDefault(t => t.Scope.Name == s.Scope.Name) ?? s);
        return (running with { Scopes = [.. after] }, tripped);
    }

    /// <summary>As if a trigger had fired: who is there sees what happens then.</summary>
    /// <exception cref="CdcException">Refused: Odoo answers already.</exception>
    public static Task<ScopeState> DrillAsync(NpgsqlConnection connection, Decision decision, CancellationToken ct) =>
        TripAsync(connection, decision with { Why = decision.Why is { } why ? $"drill: {why}" : "drill" }, null, ct);

    private static Task<ScopeState> TripAsync(NpgsqlConnection connection, Decision decision, GateReport? judged, CancellationToken ct) =>
        DecideAsync(
            connection,
            decision,
            async (running, state) =>
                (
                    "trigger",
                    PhaseMachine.Trip(running.Plan, state, $"{ScopeState.ByTrigger}{decision.Why}", await NowAsync(connection, ct)),
                    judged
                ),
            ct
        );

    /// <summary>What is judged of every scope alike: read once for all of them.</summary>
    public static async Task<CutoverLook> LookAsync(NpgsqlConnection connection, RunningPlan running, CancellationToken ct)
    {
        var flag = await CutoverTable.FlagAsync(connection, running.Plan.Flag, ct);
        return new CutoverLook(
            await PipelineStanding.ReadAsync(connection, ct),
            await NowAsync(connection, ct),
            flag,
            (flag ?? new FlagStand(false, 0, [])).Differs(FlagStand.Of(running.Plan, running.Scopes), running.Plan.Flag)
        );
    }

    private static async Task<GateFacts> FactsAsync(
        NpgsqlConnection connection,
        CutoverLook look,
        ScopeState state,
        CancellationToken ct
    ) =>
        new(
            look.Standing,
            await PipelineStanding.ConflictsAsync(connection, state.Since, ct),
            look.Now - state.Since,
            await ShadowTable.OfScopeAsync(connection, state.Scope.Name, state.Since, ct),
            look.FlagDiffers
        );

    /// <summary>
    /// Makes a plan the running one. Its scopes begin at legacy, but for those that the plan before has with the same cards and the same way
    /// so far: they stay where they are.
    /// </summary>
    /// <exception cref="CdcException">Refused: a scope that has moved on would be dropped, or gets other cards or another way.</exception>
    public static async Task<RunningPlan> StartAsync(
        NpgsqlConnection connection,
        CutoverPlan plan,
        string by,
        string? why,
        CancellationToken ct
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // The plan's row is not there yet at the first start: the flags' lock is what two of them meet at.
        await connection.Statement(FlagSql.Lock).ExecuteAsync(ct);
        var before = await CutoverTable.RunningAsync(connection, locked: true, ct);
        var text = PlanFile.Text(plan);
        var now = await NowAsync(connection, ct);
        var states = Succession.Of(before, plan, now);
        var id = await CutoverTable.InsertAsync(connection, plan.Name, text, by, ct);
        var running = new RunningPlan(id, plan, text, now, by, states);
        foreach (var state in states)
        {
            await CutoverTable.InsertAsync(connection, running, state, ct);
            await RecordAsync(connection, running, "start", state, state, new Decision(state.Scope.Name, by, why, null), null, ct);
        }
        await SetFlagAsync(connection, before, running, by, ct);
        await AnnounceAsync(connection, ct);
        await transaction.CommitAsync(ct);
        return running;
    }

    /// <summary>One step forward, or one more approval of it.</summary>
    /// <exception cref="CdcException">As <see cref="PhaseMachine.Advance"/>. Inconclusive for want of approvals: this one is kept.</exception>
    public static Task<ScopeState> AdvanceAsync(NpgsqlConnection connection, Decision decision, CancellationToken ct) =>
        DecideAsync(
            connection,
            decision,
            async (running, state) =>
            {
                var gates = await JudgeAsync(connection, running, await LookAsync(connection, running, ct), state, ct);
                if (gates.Passes && await CutoverTable.ApproveAsync(connection, running.Id, state, decision.By, ct))
                    await RecordAsync(connection, running, "approve", state, state, decision, gates, ct);
                var approvals = await CutoverTable.ApprovalsAsync(connection, running.Id, state, ct);
                return (
                    "advance",
                    PhaseMachine.Advance(running.Plan, state, gates, approvals.Count, await NowAsync(connection, ct)),
                    gates
                );
            },
            ct
        );

    /// <param name="to">The name of a step before; null: legacy.</param>
    /// <exception cref="CdcException">As <see cref="PhaseMachine.Rollback"/>; Usage: there is no such step.</exception>
    public static Task<ScopeState> RollbackAsync(NpgsqlConnection connection, Decision decision, string? to, CancellationToken ct) =>
        DecideAsync(
            connection,
            decision,
            async (running, state) =>
                ("rollback", PhaseMachine.Rollback(running.Plan, state, StepOf(running.Plan, to), await NowAsync(connection, ct)), null),
            ct
        );

    /// <exception cref="CdcException">Usage: there is no such step.</exception>
    public static int StepOf(CutoverPlan plan, string? name) =>
        name is null or PlanPhase.Legacy ? 0
        : plan.Steps.ToList().FindIndex(s => s.Name == name) is >= 0 and var index ? index + 1
        : throw new CdcException(
            FailureKind.Usage,
            $"The plan {plan.Name} has no step '{name}'.",
            $"Steps: {PlanPhase.Legacy}, {string.Join(", ", plan.Steps.Select(s => s.Name))}."
        );

    public static Task<ScopeState> HoldAsync(NpgsqlConnection connection, Decision decision, CancellationToken ct) =>
        DecideAsync(
            connection,
            decision,
            (_, state) =>
                Task.FromResult<(string, ScopeState, GateReport?)>(
                    ("hold", PhaseMachine.Hold(state, decision.Why ?? $"by {decision.By}"), null)
                ),
            ct
        );

    /// <exception cref="CdcException">Refused: it is not held.</exception>
    public static Task<ScopeState> ReleaseAsync(NpgsqlConnection connection, Decision decision, CancellationToken ct) =>
        DecideAsync(
            connection,
            decision,
            (_, state) => Task.FromResult<(string, ScopeState, GateReport?)>(("release", PhaseMachine.Release(state), null)),
            ct
        );

    private static async Task<ScopeState> DecideAsync(
        NpgsqlConnection connection,
        Decision decision,
        Func<RunningPlan, ScopeState, Task<(string Command, ScopeState To, GateReport? Gates)>> decide,
        CancellationToken ct
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // In the order of whoever changes a flag by a request, and so before any row.
        await connection.Statement(FlagSql.Lock).ExecuteAsync(ct);
        var running = await CutoverTable.RunningAsync(connection, locked: true, ct) ?? throw NoPlan();
        var state = running.Scope(decision.Scope);
        if (decision.Version is { } shown && shown != state.Version)
            throw new CdcException(
                FailureKind.Refused,
                $"Somebody else has changed {state.Scope.Name} meanwhile: it is at {running.Plan.NameOf(state.Step)}. Nothing was changed.",
                "Look first: cdc cutover status"
            );
        (string Command, ScopeState To, GateReport? Gates) decided;
        try
        {
            decided = await decide(running, state);
        }
        catch (CdcException e) when (e.Kind == FailureKind.Inconclusive)
        {
            // An approval that was given is kept, whoever else has to follow.
            await transaction.CommitAsync(ct);
            throw;
        }
        await CutoverTable.SaveAsync(connection, running, decided.To, ct);
        await RecordAsync(connection, running, decided.Command, state, decided.To, decision, decided.Gates, ct);
        if (decided.To.Step != state.Step)
        {
            var after = running with { Scopes = [.. running.Scopes.Select(s => s == state ? decided.To : s)] };
            await SetFlagAsync(connection, running, after, decision.By, ct);
        }
        await AnnounceAsync(connection, ct);
        await transaction.CommitAsync(ct);
        return decided.To;
    }

    public static CdcException NoPlan() =>
        new(FailureKind.Usage, "No cutover runs.", "cdc cutover plan FILE shows a plan, cdc cutover start FILE begins with it.");

    private static Task RecordAsync(
        NpgsqlConnection connection,
        RunningPlan running,
        string command,
        ScopeState from,
        ScopeState to,
        Decision decision,
        GateReport? gates,
        CancellationToken ct
    ) =>
        CutoverTable.RecordAsync(
            connection,
            running.Id,
            new CutoverChange(
                default,
                to.Scope.Name,
                command,
                running.Plan.NameOf(from.Step),
                running.Plan.NameOf(to.Step),
                from.PercentageIn(running.Plan),
                to.PercentageIn(running.Plan),
                decision.By,
                decision.Why,
                gates is null ? null : JsonSerializer.Serialize(gates.Gates, Evidence)
            ),
            ct
        );

    /// <summary>
    /// A flag that somebody has lowered or switched off is not raised by a scope that goes back, nor by another plan: it is only ever switched
    /// off then. Of flag and scope the smaller share counts.
    /// </summary>
    private static async Task SetFlagAsync(
        NpgsqlConnection connection,
        RunningPlan? before,
        RunningPlan after,
        string by,
        CancellationToken ct
    )
    {
        var (name, wanted) = (after.Plan.Flag, FlagStand.Of(after.Plan, after.Scopes));
        var flag = await CutoverTable.FlagAsync(connection, name, ct) ?? new FlagStand(false, 0, []);
        var stood = before is null || flag.Differs(FlagStand.Of(before.Plan, before.Scopes), name) is null;
        if (flag.Differs(wanted, name) is not null && (stood || !wanted.Enabled))
            await CutoverTable.SetFlagAsync(connection, name, wanted, by, ct);
    }

    private static async Task<DateTimeOffset> NowAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement("SELECT clock_timestamp()").RowsAsync(row => row.GetFieldValue<DateTimeOffset>(0), ct)).Single();

    private static Task<int> AnnounceAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement("SELECT pg_notify($1, '')", CutoverTable.Channel).ExecuteAsync(ct);
}
