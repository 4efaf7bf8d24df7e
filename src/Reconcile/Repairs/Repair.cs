using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine.Snapshots;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Repairs;

/// <summary>
/// Repairs what a run found. Every key is compared a second time, at its own fence; only those that still differ are read
/// again through the pipeline, which removes what Odoo no longer has; then exactly these keys are compared once more. It never
/// writes rows itself.
/// </summary>
/// <param name="reads">Needs a running pipeline.</param>
/// <param name="limit">Of an entity of which more would be removed nothing is.</param>
/// <param name="lockTimeout">How long to wait for another comparison.</param>
public sealed class Repair(
    ComparedServers servers,
    KeyReads reads,
    ReconcileOptions options,
    DeleteLimit limit,
    TimeSpan lockTimeout = default
)
{
    private const int KeysAtOnce = 1000;

    /// <summary>A key in flight is compared again at another fence, at most this often.</summary>
    private const int MostAttempts = 10;

    /// <summary>The second comparison. Changes nothing.</summary>
    public async Task<RepairPlan> PlanAsync(long run, RunRequest request, CancellationToken ct)
    {
        await using var connection = await servers.Engine.OpenConnectionAsync(ct);
        var open = await new RepairStore(connection, run).OpenAsync(request, ct);
        var rows = new Dictionary<string, IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>>>();
        var others = new List<RepairedKey>();
        var held = new List<HeldRows>();
        foreach (var entity in open.GroupBy(o => o.Entity))
        {
            var kinds = entity.ToDictionary(o => o.Key, o => o.Kind);
            try
            {
                var (drift, left) = await ConfirmAsync(servers.Entities.Find(entity.Key)!, kinds, ct);
                var asks = await HeldAsync(connection, run, entity.Key, drift, ct);
                others.AddRange(left);
                if (asks is not null)
                {
                    held.Add(asks);
                    others.AddRange(TakeExtra(entity.Key, drift));
                }
                if (drift.Count > 0)
                    rows[entity.Key] = drift;
            }
            // The rows of other tables are repaired all the same.
            catch (CdcException failure) when (LeftOut.IsOfOneTable(failure))
            {
                others.AddRange(kinds.Select(k => new RepairedKey(entity.Key, k.Key, k.Value, RepairedKey.LeftOut, null)));
            }
        }
        return new RepairPlan(run, rows, others, held);
    }

    /// <summary>Does what was planned, and verifies it.</summary>
    /// <exception cref="CdcException">Refused: another comparison is running. Others: it could not be finished; what was
    /// requested is on record, and is served when a pipeline runs.</exception>
    public async Task<RepairReport> RunAsync(RepairPlan plan, CancellationToken ct)
    {
        await using var runs = new RunStore(await servers.Engine.OpenConnectionAsync(ct));
        await runs.LockAsync(lockTimeout, ct);
        await using var connection = await servers.Engine.OpenConnectionAsync(ct);
        var store = new RepairStore(connection, plan.Run);
        await store.CloseAbandonedAsync(ct);
        foreach (var gone in plan.Others.Where(o => o.Outcome == RepairedKey.Gone).GroupBy(o => o.Entity))
            await store.ResolveAsync(gone.Key, [.. gone.Select(o => o.Key)], ct);
        var keys = plan.Others.ToList();
        foreach (var (entity, rows) in plan.Rows)
        foreach (var some in rows.Chunk(KeysAtOnce))
            keys.AddRange(await RepairOrLeaveAsync(store, servers.Entities.Find(entity)!, some.ToDictionary(), ct));
        return new RepairReport(false, keys) { Held = plan.Held };
    }

    /// <summary>Not null: more of the entity's rows would be removed than may be without a person.</summary>
    private async Task<HeldRows?> HeldAsync(
        NpgsqlConnection connection,
        long run,
        string entity,
        IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>> drift,
        CancellationToken ct
    )
    {
        // Of many the run has kept only some: the others would follow with the next repair.
        var extra = drift.Values.Count(IsExtra);
        var most = extra == 0 ? 0 : Math.Max(extra, await RepairStore.ExtraAsync(connection, run, entity, ct));
        if (!limit.AreMany(most))
            return null;
        var declared = servers.Entities.Find(entity)!;
        var rows = await TableAccess.ReadShortlyAsync(
            Server.Engine,
            declared,
            connection,
            () => connection.Statement($"SELECT count(*) FROM {declared.EngineName}").ScalarAsync<long>(ct),
            ct
        );
        return limit.IsExceeded(most, rows) ? new HeldRows(entity, most, rows, limit.Reason(entity, most, rows)) : null;
    }

    private static IEnumerable<RepairedKey> TakeExtra(string entity, Dictionary<long, IReadOnlyList<DriftRecord>> drift)
    {
        foreach (var key in drift.Where(d => IsExtra(d.Value)).Select(d => d.Key).ToList())
        {
            drift.Remove(key);
            yield return new RepairedKey(entity, key, RepairStore.Word(DriftKind.Extra), RepairedKey.Held, null);
        }
    }

    private static bool IsExtra(IReadOnlyList<DriftRecord> rows) => rows[0].Kind == DriftKind.Extra;

    private async Task<(Dictionary<long, IReadOnlyList<DriftRecord>> Drift, List<RepairedKey> Left)> ConfirmAsync(
        EntityDeclaration entity,
        Dictionary<long, string> kinds,
        CancellationToken ct
    )
    {
        var (drift, left) = (new Dictionary<long, IReadOnlyList<DriftRecord>>(), new List<RepairedKey>());
        foreach (var some in kinds.Keys.Order().Chunk(KeysAtOnce))
        {
            var compared = await new KeyComparison(servers, entity, options).CompareAsync(some, ct);
            foreach (var rows in compared.Drift.GroupBy(d => d.Key))
                drift[rows.Key] = [.. rows];
            left.AddRange(
                compared
                    .States.Where(s => s.Value != KeyState.Drift)
                    .Select(s => new RepairedKey(
                        entity.Name,
                        s.Key,
                        kinds[s.Key],
                        s.Value == KeyState.Equal ? RepairedKey.Gone : Word(s.Value),
                        null
                    ))
            );
        }
        return (drift, left);
    }

    /// <summary>A table that cannot be compared any more keeps no other from being repaired. Its keys are on record as not verified.</summary>
    private async Task<IEnumerable<RepairedKey>> RepairOrLeaveAsync(
        RepairStore store,
        EntityDeclaration entity,
        IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>> rows,
        CancellationToken ct
    )
    {
        try
        {
            return await RepairAsync(store, entity, rows, ct);
        }
        catch (CdcException failure) when (LeftOut.IsOfOneTable(failure))
        {
            await store.CloseAbandonedAsync(ct);
            return rows.Select(r => new RepairedKey(entity.Name, r.Key, RepairStore.Word(r.Value[0].Kind), RepairedKey.LeftOut, null));
        }
    }

    private async Task<IEnumerable<RepairedKey>> RepairAsync(
        RepairStore store,
        EntityDeclaration entity,
        IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>> rows,
        CancellationToken ct
    )
    {
        var request = await store.AskAsync(entity, rows, ct);
        CrashPoint.Hit("repair-asked");
        await reads.WaitAsync(request, ct);
        CrashPoint.Hit("repair-read");
        var outcomes = await VerifyAsync(store, entity, request, [.. rows.Keys], ct);
        return rows.Select(r => new RepairedKey(entity.Name, r.Key, RepairStore.Word(r.Value[0].Kind), outcomes[r.Key], request));
    }

    private async Task<IReadOnlyDictionary<long, string>> VerifyAsync(
        RepairStore store,
        EntityDeclaration entity,
        long request,
        long[] keys,
        CancellationToken ct
    )
    {
        var outcomes = new Dictionary<long, string>();
        for (var attempt = 1; keys.Length > 0; attempt++)
        {
            var compared = await new KeyComparison(servers, entity, options).CompareAsync(keys, ct);
            var known = compared
                .States.Where(s => s.Value != KeyState.InFlight || attempt == MostAttempts)
                .ToDictionary(s => s.Key, s => s.Value == KeyState.Equal ? RepairedKey.Repaired : Word(s.Value));
            await store.SettleAsync(entity.Name, request, compared.Marker, known, ct);
            foreach (var (key, outcome) in known)
                outcomes[key] = outcome;
            keys = [.. keys.Where(k => !known.ContainsKey(k))];
        }
        return outcomes;
    }

    private static string Word(KeyState state) => state == KeyState.InFlight ? "in-flight" : state.ToString().ToLowerInvariant();
}
