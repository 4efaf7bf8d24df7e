using Cdc.Core.Operations;

namespace Cdc.Reconcile.Comparing;

/// <summary>Numbers of one slice, one entity or all. They are never mixed: a key is in one of them only.</summary>
/// <param name="Compared">Keys on either side that were compared.</param>
/// <param name="Missing">Compared keys that only the source has.</param>
/// <param name="Extra">Compared keys that only the engine has.</param>
/// <param name="Differing">Compared keys of which some value differs.</param>
/// <param name="InFlight">Keys whose change was on its way at the fence.</param>
/// <param name="Quarantined">Keys that wait in quarantine.</param>
/// <param name="Holes">Keys of which the engine knows that a column is not known.</param>
/// <param name="Loading">Source rows in ranges that are not loaded yet.</param>
public readonly record struct SliceNumbers(
    long SourceRows,
    long EngineRows,
    long Compared,
    long Missing,
    long Extra,
    long Differing,
    long InFlight,
    long Quarantined,
    long Holes,
    long Loading
)
{
    /// <summary>Rows that the engine has changed of its own accord. Compared are these as Odoo last had them.</summary>
    public OwnNumbers Own { get; init; }

    /// <summary>Distinct keys; of rows that the engine owns also those that its own changes do not explain.</summary>
    public long Drift => Missing + Extra + Differing + Own.Unexplained;

    /// <summary>1 − drift / compared; null where nothing was compared.</summary>
    public double? Rate => Compared == 0 ? null : 1 - (double)Drift / Compared;

    /// <param name="tables">Tables of which nothing can be said.</param>
    public ComparisonRows Rows(IReadOnlyList<string> tables) => new(Compared, Drift, InFlight, Quarantined, Holes, Loading, tables);

    public static SliceNumbers operator +(SliceNumbers a, SliceNumbers b) =>
        new(
            a.SourceRows + b.SourceRows,
            a.EngineRows + b.EngineRows,
            a.Compared + b.Compared,
            a.Missing + b.Missing,
            a.Extra + b.Extra,
            a.Differing + b.Differing,
            a.InFlight + b.InFlight,
            a.Quarantined + b.Quarantined,
            a.Holes + b.Holes,
            a.Loading + b.Loading
        )
        {
            Own = a.Own + b.Own,
        };
}
