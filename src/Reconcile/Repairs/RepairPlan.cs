using Cdc.Reconcile.Comparing;

namespace Cdc.Reconcile.Repairs;

/// <summary>The drift recorded by a run that a second comparison, at its own fence, has confirmed.</summary>
public sealed class RepairPlan
{
    internal RepairPlan(
        long run,
        IReadOnlyDictionary<string, IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>>> rows,
        IReadOnlyList<RepairedKey> others
    ) => (Run, Rows, Others) = (run, rows, others);

    /// <summary>The run that found it.</summary>
    public long Run { get; }

    /// <summary>Keys that are going to be read again, of all entities.</summary>
    public int Count => Rows.Values.Sum(r => r.Count);

    /// <summary>The plan as a dry run reports it.</summary>
    public RepairReport DryRun => new(true, [.. Planned, .. Others]);

    /// <summary>By entity and key, what still differs: these keys are going to be read again.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>>> Rows { get; }

    /// <summary>Keys that are left alone, and why.</summary>
    internal IReadOnlyList<RepairedKey> Others { get; }

    /// <summary>
    /// For each entity: keys of rows that are read again from Odoo, and keys of rows that are removed if Odoo still has not got them.
    /// </summary>
    public IEnumerable<(string Entity, int Read, int Removed)> Counts =>
        Rows.Select(e =>
            (e.Key, e.Value.Values.Count(r => r[0].Kind != DriftKind.Extra), e.Value.Values.Count(r => r[0].Kind == DriftKind.Extra))
        );

    private IEnumerable<RepairedKey> Planned =>
        Rows.SelectMany(e =>
            e.Value.Select(k => new RepairedKey(e.Key, k.Key, RepairStore.Word(k.Value[0].Kind), RepairedKey.Planned, null))
        );
}
