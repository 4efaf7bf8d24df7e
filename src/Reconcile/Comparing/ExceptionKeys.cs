using Cdc.Core.Entities;
using Cdc.Reconcile.Fences;
using Npgsql;

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
    private const string EntriesSql = """
        SELECT key, true FROM cdc.quarantine WHERE entity = $1 AND key >= $2 AND key < $3
        UNION ALL SELECT key, false FROM cdc.rereads WHERE entity = $1 AND key >= $2 AND key < $3
        """;

    // Not known yet, or its ranges are not cut yet: nothing of it is loaded.
    private const string NothingLoadedSql = "SELECT NOT EXISTS (SELECT FROM cdc.tables WHERE entity = $1 AND state <> 'loading')";

    public long[] All => [.. InFlight, .. Quarantined, .. Holes];

    public static async Task<ExceptionKeys> ReadAsync(FencedSnapshots fence, EntityDeclaration entity, KeySpan slice, CancellationToken ct)
    {
        var loading = await LoadingAsync(fence, entity, ct).ConfigureAwait(false);
        var within = loading.Select(s => s.Within(slice)).Where(s => !s.IsEmpty).ToList();
        bool IsCompared(long key) => slice.Contains(key) && !within.Any(l => l.Contains(key));
        var inFlight = fence.InFlight.Keys.Where(IsCompared).ToHashSet();
        var (quarantined, holes) = (new HashSet<long>(), new HashSet<long>());
        await using var command = new NpgsqlCommand(EntriesSql, fence.Engine)
        {
            Parameters =
            {
                new() { Value = entity.Name },
                new() { Value = slice.Low },
                new() { Value = slice.High },
            },
        };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            if (reader.GetInt64(0) is var key && IsCompared(key) && !inFlight.Contains(key))
                (reader.GetBoolean(1) ? quarantined : holes).Add(key);
        holes.ExceptWith(quarantined);
        return new ExceptionKeys(inFlight, quarantined, holes, within);
    }

    private static async Task<IReadOnlyList<KeySpan>> LoadingAsync(FencedSnapshots fence, EntityDeclaration entity, CancellationToken ct)
    {
        var ranges = await UnfinishedRanges.ReadAsync(fence.Engine, entity, ct).ConfigureAwait(false);
        if (ranges.Count > 0)
            return [.. ranges.Select(KeySpan.Of)];
        await using var command = new NpgsqlCommand(NothingLoadedSql, fence.Engine) { Parameters = { new() { Value = entity.Name } } };
        return (bool)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))! ? [KeySpan.All] : [];
    }
}
