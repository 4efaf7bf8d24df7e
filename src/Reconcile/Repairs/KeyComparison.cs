using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Fences;
using Npgsql;

namespace Cdc.Reconcile.Repairs;

/// <summary>What a comparison says of one key. All but the first two: nothing, and why.</summary>
internal enum KeyState
{
    Equal,
    Drift,
    InFlight,
    Quarantined,
    Hole,
    Loading,
}

/// <param name="Marker">Where in the source's WAL.</param>
/// <param name="States">Of every key that was asked about.</param>
internal sealed record ComparedKeys(Lsn Marker, IReadOnlyDictionary<long, KeyState> States, IReadOnlyList<DriftRecord> Drift)
{
    /// <summary>Of the keys that were compared, those that the source has.</summary>
    public IReadOnlyCollection<long> InSource { get; init; } = [];

    public IReadOnlyCollection<long> InEngine { get; init; } = [];
}

/// <summary>Compares exactly some keys of an entity, value by value, within one fence.</summary>
internal sealed class KeyComparison(ComparedServers servers, EntityDeclaration entity, ReconcileOptions options)
{
    public async Task<ComparedKeys> CompareAsync(IReadOnlyCollection<long> keys, CancellationToken ct)
    {
        var span = new KeySpan(keys.Min(), keys.Max() + 1);
        await using var fence = await servers.Fences.OpenAsync(entity, span.ToRange(), ct);
        if (fence.InFlight.All)
            return new ComparedKeys(fence.Marker, keys.ToDictionary(k => k, _ => KeyState.InFlight), []);
        await ComparedSession.PrepareAsync(fence.Source, options.StatementTimeout, ct);
        await ComparedSession.PrepareAsync(fence.Engine, options.StatementTimeout, ct);
        var leftOut = await ExceptionKeys.ReadAsync(fence, entity, span, ct);
        var states = keys.ToDictionary(k => k, k => Unknown(leftOut, k) ?? KeyState.Equal);
        var (drift, inSource, inEngine) = await RowComparison.ReadAsync(
            servers,
            fence,
            entity,
            [.. states.Where(s => s.Value == KeyState.Equal).Select(s => s.Key)],
            ct
        );
        foreach (var row in drift)
            states[row.Key] = KeyState.Drift;
        return new ComparedKeys(fence.Marker, states, drift) { InSource = inSource, InEngine = inEngine };
    }

    private static KeyState? Unknown(ExceptionKeys leftOut, long key) =>
        leftOut.Loading.Any(l => l.Contains(key)) ? KeyState.Loading
        : leftOut.InFlight.Contains(key) ? KeyState.InFlight
        : leftOut.Quarantined.Contains(key) ? KeyState.Quarantined
        : leftOut.Holes.Contains(key) ? KeyState.Hole
        : null;
}
