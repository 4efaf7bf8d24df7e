using Cdc.Core.Entities;
using Cdc.Reconcile.Repairs;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// Compares the keys that were in flight at a slice's fence at fences of their own: a change is on its way for milliseconds, and a run under
/// traffic would otherwise never have compared everything. Totals of money leave these keys out, on both sides.
/// </summary>
internal sealed class InFlightComparison(ComparedServers servers, EntityDeclaration entity, ReconcileOptions options)
{
    /// <summary>A transaction of so many keys is left to the next run.</summary>
    private const int MostKeys = 10_000;
    private const int KeysAtOnce = 1000;
    private const int MostAttempts = 5;

    /// <param name="maxDrift">Differing keys whose values are wanted.</param>
    public async Task<ComparedSlice> LookAgainAsync(ComparedSlice slice, int maxDrift, CancellationToken ct)
    {
        var keys = slice.Result.LeftOut.InFlight;
        for (var attempt = 0; keys.Count is > 0 and <= MostKeys && attempt < MostAttempts; attempt++)
        {
            foreach (var some in keys.Order().Chunk(KeysAtOnce))
            {
                var compared = await new KeyComparison(servers, entity, options).CompareAsync(some, ct);
                slice = slice with { Result = Join(slice.Result, compared, maxDrift) };
            }
            keys = slice.Result.LeftOut.InFlight;
        }
        return slice;
    }

    private static SliceResult Join(SliceResult slice, ComparedKeys compared, int maxDrift)
    {
        HashSet<long> Are(KeyState state) => [.. compared.States.Where(s => s.Value == state).Select(s => s.Key)];
        var (quarantined, holes, drift) = (Are(KeyState.Quarantined), Are(KeyState.Hole), Are(KeyState.Drift));
        // What is loading by now stays what it was: in flight.
        var left = slice.LeftOut with
        {
            InFlight = Without(slice.LeftOut.InFlight, compared.States.Where(s => s.Value is not (KeyState.InFlight or KeyState.Loading))),
            Quarantined = slice.LeftOut.Quarantined.Concat(quarantined).ToHashSet(),
            Holes = slice.LeftOut.Holes.Concat(holes).ToHashSet(),
        };
        var kinds = compared.Drift.GroupBy(d => d.Key).ToLookup(d => d.First().Kind, d => d.Key);
        var room = maxDrift - slice.Drift.Select(d => d.Key).Distinct().Count();
        var listed = drift.Order().Take(Math.Max(0, room)).ToHashSet();
        var present = compared.InSource.Union(compared.InEngine).Count(k => compared.States[k] is KeyState.Equal or KeyState.Drift);
        return slice with
        {
            Numbers = slice.Numbers with
            {
                SourceRows = slice.Numbers.SourceRows + compared.InSource.Count,
                EngineRows = slice.Numbers.EngineRows + compared.InEngine.Count,
                Compared = slice.Numbers.Compared + present,
                Missing = slice.Numbers.Missing + kinds[DriftKind.Missing].Count(),
                Extra = slice.Numbers.Extra + kinds[DriftKind.Extra].Count(),
                Differing = slice.Numbers.Differing + kinds[DriftKind.Differing].Count(),
                InFlight = left.InFlight.Count,
                Quarantined = slice.Numbers.Quarantined + quarantined.Count,
                Holes = slice.Numbers.Holes + holes.Count,
            },
            Drift = [.. slice.Drift, .. compared.Drift.Where(d => listed.Contains(d.Key))],
            Unlisted = slice.Unlisted + drift.Count - listed.Count,
            LeftOut = left,
        };
    }

    private static HashSet<long> Without(IReadOnlySet<long> keys, IEnumerable<KeyValuePair<long, KeyState>> known)
    {
        var left = keys.ToHashSet();
        left.ExceptWith(known.Select(k => k.Key));
        return left;
    }
}
