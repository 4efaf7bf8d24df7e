using Cdc.Core.Entities;
using Cdc.Reconcile.Fences;
using Npgsql;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// What of a slice is not compared, and why: the engine's own snapshot says what it does not have, the fence says what is on its way. A key
/// counts once, by the first reason that holds.
/// </summary>
/// <param name="Loading">Ranges of this generation that are not read yet.</param>
/// <param name="Stopped">The entity's table is stopped: its rows are as old as that.</param>
internal sealed record ExceptionKeys(
    IReadOnlySet<long> InFlight, IReadOnlySet<long> Quarantined, IReadOnlySet<long> Holes, IReadOnlyList<KeySpan> Loading, bool Stopped)
{
    private const string EntriesSql = """
        SELECT key, true FROM cdc.quarantine WHERE entity = $1 AND key >= $2 AND key < $3
        UNION ALL SELECT key, false FROM cdc.rereads WHERE entity = $1 AND key >= $2 AND key < $3
        """;

    private const string StateSql = "SELECT state FROM cdc.tables WHERE entity = $1";

    private const string LoadingSql = "SELECT from_key, to_key FROM cdc.chunks WHERE entity = $1 AND generation = $2 AND state = 'pending'";

    public long[] All => [.. InFlight, .. Quarantined, .. Holes];

    public static async Task<ExceptionKeys> ReadAsync(FencedSnapshots fence, EntityDeclaration entity, KeySpan slice, CancellationToken ct)
    {
        var loading = await LoadingAsync(fence, entity, ct).ConfigureAwait(false);
        var within = loading.Spans.Select(s => s.Within(slice)).Where(s => !s.IsEmpty).ToList();
        bool IsCompared(long key) => slice.Contains(key) && !within.Any(l => l.Contains(key));
        var inFlight = fence.InFlight.Keys.Where(IsCompared).ToHashSet();
        var (quarantined, holes) = (new HashSet<long>(), new HashSet<long>());
        await using var command = new NpgsqlCommand(EntriesSql, fence.Engine) { Parameters = { new() { Value = entity.Name }, new() { Value = slice.Low }, new() { Value = slice.High } } };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            if (reader.GetInt64(0) is var key && IsCompared(key) && !inFlight.Contains(key)) (reader.GetBoolean(1) ? quarantined : holes).Add(key);
        holes.ExceptWith(quarantined);
        return new ExceptionKeys(inFlight, quarantined, holes, within, loading.Stopped);
    }

    private static async Task<(List<KeySpan> Spans, bool Stopped)> LoadingAsync(FencedSnapshots fence, EntityDeclaration entity, CancellationToken ct)
    {
        var spans = new List<KeySpan>();
        await using var state = new NpgsqlCommand(StateSql, fence.Engine) { Parameters = { new() { Value = entity.Name } } };
        var word = (string?)await state.ExecuteScalarAsync(ct).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(LoadingSql, fence.Engine) { Parameters = { new() { Value = entity.Name }, new() { Value = fence.Generation } } };
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            spans.Add(new KeySpan(reader.IsDBNull(0) ? KeySpan.Lowest : reader.GetInt64(0), reader.IsDBNull(1) ? KeySpan.Highest : reader.GetInt64(1)));
        // Not known yet, or its chunks are not cut yet: nothing of it is loaded.
        if (word is null or "loading" && spans.Count == 0) spans.Add(new KeySpan(KeySpan.Lowest, KeySpan.Highest));
        return (spans, word == "stopped");
    }
}
