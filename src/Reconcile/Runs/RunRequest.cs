using Cdc.Core.Entities;
using Cdc.Core.Postgres.Values;
using Cdc.Core.Snapshots;

namespace Cdc.Reconcile.Runs;

public enum RunKind
{
    Full,

    /// <summary>Only partitions that were touched since the last run, or that had drift or were not loaded then.</summary>
    Changed,

    /// <summary>Odoo is frozen: one exact pass, and nothing may be in flight or left out.</summary>
    SignOff,
}

/// <summary>What is to be compared.</summary>
/// <param name="Since">Only rows with a date at or after it.</param>
/// <param name="Violations">Also search for places where Odoo's own numbers disagree.</param>
public sealed record RunRequest(
    RunKind Kind,
    IReadOnlyList<EntityDeclaration> Entities,
    KeyRange Range = default,
    DateTimeOffset? Since = null,
    bool Violations = false
)
{
    /// <summary>What began it: a person's command, or a word of <see cref="Continuous.Schedule"/>.</summary>
    public string Trigger { get; init; } = "command";

    /// <summary>The time for which it was due; null: it was not scheduled.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>Sums of money are part of it. A run over some partitions would only show some of them.</summary>
    public bool WithTotals => Kind != RunKind.Changed && Range == KeyRange.All;

    /// <summary>As in cdc.reconcile_runs.</summary>
    public string KindWord =>
        Kind switch
        {
            RunKind.Full => "full",
            RunKind.Changed => "changed",
            _ => "sign-off",
        };
}
