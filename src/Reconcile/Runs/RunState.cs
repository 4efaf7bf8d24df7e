using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Reconcile.Comparing;

namespace Cdc.Reconcile.Runs;

/// <summary>What a run has found so far.</summary>
internal sealed class RunState(RunKind kind)
{
    private sealed record Sum(SliceNumbers Numbers, long Unlisted, int Slices);

    private readonly Dictionary<string, Sum> _entities = [];
    private readonly Dictionary<string, string> _leftOut = [];
    private readonly List<string> _notLookedFor = [];
    private string? _lastChange;

    public int? Generation { get; private set; }

    public long Unlisted => _entities.Values.Sum(e => e.Unlisted);

    /// <summary>What was left out, why, and what to do.</summary>
    public string? Detail => string.Join(" ", _leftOut.Values.Concat(_notLookedFor)) is { Length: > 0 } detail ? detail : null;

    /// <summary>Of all entities together.</summary>
    public ComparisonRows Rows =>
        _entities
            .Values.Aggregate(new SliceNumbers(), (sum, e) => sum + e.Numbers)
            .Rows([.. _leftOut.Keys.Select(ComparisonRows.NotComparedTable)]);

    public SliceNumbers Of(string entity) => _entities.GetValueOrDefault(entity)?.Numbers ?? default;

    /// <summary>Differing keys whose values may still be kept.</summary>
    public int RoomFor(string entity, int most) =>
        _entities.GetValueOrDefault(entity) is { } e ? (int)Math.Max(0, most - (e.Numbers.Drift - e.Unlisted)) : most;

    public void Resume(string entity, DoneSlices done)
    {
        RequireGeneration(done.Generation);
        _entities[entity] = new Sum(done.Numbers, done.Unlisted, done.Count);
    }

    /// <returns>The slice's place among those of its entity.</returns>
    /// <exception cref="CdcException">DeclaredGap: a new generation began. Refused: a sign-off, and Odoo is not frozen.</exception>
    public int Add(string entity, ComparedSlice slice)
    {
        RequireGeneration(slice.Generation);
        RequireFrozen(slice);
        var before = _entities.GetValueOrDefault(entity) ?? new Sum(default, 0, 0);
        _entities[entity] = new Sum(before.Numbers + slice.Result.Numbers, before.Unlisted + slice.Result.Unlisted, before.Slices + 1);
        return before.Slices;
    }

    /// <param name="why">For people, with the entity's name and what to do.</param>
    public void LeaveOut(string entity, string why) => _leftOut[entity] = why;

    /// <param name="why">Null: a table of theirs is left out.</param>
    public void NotLookedFor(string violation, string? why) =>
        _notLookedFor.Add(
            $"'{violation}' was not looked for{(why is null ? ", as a table that it reads was not compared." : $": {why}.")}"
        );

    public bool IsLeftOut(string entity) => _leftOut.ContainsKey(entity);

    /// <summary>Slices of two generations say nothing together: everything was read again between them.</summary>
    private void RequireGeneration(int generation)
    {
        if ((Generation ??= generation) != generation)
            throw new CdcException(
                FailureKind.Unavailable,
                $"Generation {generation} of the pipeline began while the run compared generation {Generation}.",
                "Run it again."
            );
    }

    private void RequireFrozen(ComparedSlice slice)
    {
        if (kind == RunKind.SignOff && (_lastChange ??= slice.LastChange) != slice.LastChange)
            throw new CdcException(
                FailureKind.Refused,
                "Writes are not frozen: Odoo's tables changed between two slices of the sign-off.",
                "Stop every writer of Odoo, and run it again."
            );
    }
}
