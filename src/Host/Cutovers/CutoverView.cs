using Cdc.Cutover.Flags;
using Cdc.Cutover.Gates;
using Cdc.Cutover.Phases;
using Cdc.Cutover.Plans;
using Cdc.Cutover.Shadow;
using Npgsql;

namespace Cdc.Host.Cutovers;

/// <summary><c>cdc cutover status</c>, as its JSON has it.</summary>
/// <param name="Plan">Null: no cutover runs.</param>
/// <param name="Shadow">Of the last 24 hours.</param>
internal sealed record CutoverView(
    PlanLine? Plan,
    FlagLine? Flag,
    IReadOnlyList<ScopeLine> Scopes,
    IReadOnlyList<ShadowCount> Shadow,
    IReadOnlyList<CutoverChange> Changes
)
{
    private const int ShownChanges = 20;

    public static async Task<CutoverView> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        // One snapshot, and none of it is changed.
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct);
        if (await CutoverTable.RunningAsync(connection, locked: false, ct) is not { } running)
            return new CutoverView(null, null, [], [], []);
        var look = await CutoverDesk.LookAsync(connection, running, ct);
        var flag = look.Flag;
        var scopes = new List<ScopeLine>();
        foreach (var state in running.Scopes)
            scopes.Add(await LineAsync(connection, running, look, state, ct));
        return new CutoverView(
            new PlanLine(running.Plan.Name, running.Sha256, running.StartedAt, running.StartedBy),
            new FlagLine(
                running.Plan.Flag,
                flag?.Enabled ?? false,
                flag?.Percentage,
                flag?.Companies ?? [],
                flag?.ChangedBy,
                look.FlagDiffers
            ),
            scopes,
            await ShadowTable.OfDayAsync(connection, ct),
            await CutoverTable.ChangesAsync(connection, running.Id, ShownChanges, ct)
        );
    }

    private static async Task<ScopeLine> LineAsync(
        NpgsqlConnection connection,
        RunningPlan running,
        CutoverLook look,
        ScopeState state,
        CancellationToken ct
    )
    {
        NextLine? next = null;
        // What is held has its gates too: they are looked at as if it were not.
        var free = state with
        {
            Held = null,
        };
        if (state.Step < running.Plan.Steps.Count)
        {
            var step = running.Plan.Steps[PhaseMachine.Next(running.Plan, free) - 1];
            var gates = await CutoverDesk.JudgeAsync(connection, running, look, free, ct);
            var approvals = await CutoverTable.ApprovalsAsync(connection, running.Id, state, ct);
            next = new NextLine(step.Name, step.Percentage, step.At, step.Approvals, approvals, gates.Gates);
        }
        var share = state.PercentageIn(running.Plan);
        return new ScopeLine(
            state.Scope.Name,
            state.Scope.Services,
            state.Scope.Companies,
            running.Plan.NameOf(state.Step),
            state.PhaseIn(running.Plan),
            share,
            look.Flag?.Allows(state.Scope, share) ?? 0,
            state.Since,
            state.Held,
            next
        );
    }
}

internal sealed record PlanLine(string Name, string Sha256, DateTimeOffset StartedAt, string StartedBy);

/// <param name="Differs">Null: it is as the phases have set it.</param>
internal sealed record FlagLine(
    string Name,
    bool Enabled,
    decimal? Percentage,
    IReadOnlyList<long> Companies,
    string? UpdatedBy,
    string? Differs
);

/// <param name="Percentage">As the step has it.</param>
/// <param name="ReadsByEngine">The same, as far as the flag allows it.</param>
/// <param name="Next">Null: it is at the last step.</param>
internal sealed record ScopeLine(
    string Scope,
    IReadOnlyList<string> Services,
    IReadOnlyList<long> Companies,
    string Step,
    string Phase,
    decimal Percentage,
    decimal ReadsByEngine,
    DateTimeOffset Since,
    string? Held,
    NextLine? Next
);

/// <param name="ApprovalsNeeded">People.</param>
/// <param name="Gates">As they are judged now.</param>
internal sealed record NextLine(
    string Step,
    decimal Percentage,
    DateTimeOffset? At,
    int ApprovalsNeeded,
    IReadOnlyList<string> ApprovedBy,
    IReadOnlyList<Gate> Gates
);
