using Cdc.Reconcile.Comparing;

namespace Cdc.Reconcile.Repairs;

/// <summary>The drift recorded by a run that a second comparison, at its own fence, has confirmed.</summary>
public sealed class RepairPlan
{
    internal RepairPlan(
        long run,
        IReadOnlyDictionary<string, IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>>> rows,
        IReadOnlyList<RepairedKey> others,
        IReadOnlyList<HeldRows> held
    ) => (Run, Rows, Others, Held) = (run, rows, others, held);

    /// <summary>The run that found it.</summary>
    public long Run { get; }

    /// <summary>Keys that are going to be read again, of all entities.</summary>
    public int Count => Rows.Values.Sum(r => r.Count);

    /// <summary>The plan as a dry run reports it.</summary>
    public RepairReport DryRun => new(true, [.. Planned, .. Others]) { Held = Held };

    /// <summary>By entity and key, what still differs: these keys are going to be read again.</summary>
    internal IReadOnlyDictionary<string, IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>>> Rows { get; }

    /// <summary>Keys that are left alone, and why.</summary>
    internal IReadOnlyList<RepairedKey> Others { get; }

    /// <summary>Rows that are not removed, since they are many.</summary>
    public IReadOnlyList<HeldRows> Held { get; }

    /// <summary>
    /// For each entity: keys of rows that are read again from Odoo, and keys of rows that are removed if Odoo still has not got them.
    /// </summary>
    public IEnumerable<(string Entity, int Read, int Removed)> Counts =>
        Rows.Select(e =>
            (e.Key, e.Value.Values.Count(r => r[0].Kind != DriftKind.Extra), e.Value.Values.Count(r => r[0].Kind == DriftKind.Extra))
        );

    /// <summary>What it would do, for people who decide.</summary>
    public string Proposal
    {
        get
        {
            var parts = Counts
                .Where(c => c.Read > 0)
                .Select(c => $"write Odoo's values over {c.Read} rows of {c.Entity}")
                .Concat(Counts.Where(c => c.Removed > 0).Select(c => $"remove {c.Removed} rows of {c.Entity}"))
                .ToList();
            var would = parts.Count == 0 ? "have nothing to do" : string.Join(", ", parts);
            return string.Join(
                ' ',
                Held.Select(h => h.Reason)
                    .Prepend($"Nothing is repaired by itself (Continuous:Repair is off). 'cdc reconcile --repair' would {would}.")
            );
        }
    }

    private IEnumerable<RepairedKey> Planned =>
        Rows.SelectMany(e =>
            e.Value.Select(k => new RepairedKey(e.Key, k.Key, RepairStore.Word(k.Value[0].Kind), RepairedKey.Planned, null))
        );
}
