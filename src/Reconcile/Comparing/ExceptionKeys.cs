using Cdc.Core.Entities;
using Cdc.Engine.Rows;
using Cdc.Engine.Snapshots;
using Cdc.Reconcile.Fences;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// What of a slice is not compared, and why: the engine's own snapshot says what it does not have, the fence says what is on its way. A key
/// counts once, by the first reason that holds.
/// </summary>
/// <param name="Loading">Ranges of this generation that are not read yet.</param>
internal sealed record ExceptionKeys(
    IReadOnlySet<long> InFlight,
    IReadOnlySet<long> Quarantined,
    IReadOnlySet<long> Holes,
    IReadOnlyList<KeySpan> Loading
)
{
    public long[] All => [.. InFlight, .. Quarantined, .. Holes];

    /// <summary>
    /// Keys whose differences stay on record, since nothing new is known of them. One in quarantine is on record there, with its reason: it
    /// is no drift any more.
    /// </summary>
    public long[] Undecided => [.. InFlight, .. Holes];

    /// <summary>Of all keys of an entity by whose columns another one's rows are summed. What of it is in flight, the other's fence does not know.</summary>
    public static async Task<ExceptionKeys> OfParentsAsync(FencedSnapshots fence, EntityDeclaration entity, CancellationToken ct)
    {
        var loading = await UnfinishedRanges.ReadOrAllAsync(fence.Engine, entity, ct);
        var entries = await EntryKeys.ReadAsync(fence.Engine, entity, KeySpan.All.Low, KeySpan.All.High, ct);
        return new ExceptionKeys(
            new HashSet<long>(),
            entries.Where(e => e.IsQuarantined).Select(e => e.Key).ToHashSet(),
            entries.Where(e => !e.IsQuarantined).Select(e => e.Key).ToHashSet(),
            [.. loading.Select(KeySpan.Of)]
        );
    }

    public static async Task<ExceptionKeys> ReadAsync(FencedSnapshots fence, EntityDeclaration entity, KeySpan slice, CancellationToken ct)
    {
        var loading = await UnfinishedRanges.ReadOrAllAsync(fence.Engine, entity, ct);
        var within = loading.Select(r => KeySpan.Of(r).Within(slice)).Where(s => !s.IsEmpty).ToList();
        bool IsCompared(long key) => slice.Contains(key) && !within.Any(l => l.Contains(key));
        var inFlight = fence.InFlight.Keys.Where(IsCompared).ToHashSet();
        var (quarantined, holes) = (new HashSet<long>(), new HashSet<long>());
        foreach (var (key, isQuarantined) in await EntryKeys.ReadAsync(fence.Engine, entity, slice.Low, slice.High, ct))
            if (IsCompared(key) && !inFlight.Contains(key))
                (isQuarantined ? quarantined : holes).Add(key);
        holes.ExceptWith(quarantined);
        return new ExceptionKeys(inFlight, quarantined, holes, within);
    }
}
