using System.Text.Encodings.Web;
using System.Text.Json;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Requests;
using Cdc.Reconcile.Runs;
using Npgsql;

namespace Cdc.Reconcile.Repairs;

/// <summary>Repairs in the engine's database: each key has a row before anything is done about it.</summary>
internal sealed class RepairStore(NpgsqlConnection engine, long run)
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string OpenSql = """
        SELECT entity, key, min(kind) FROM cdc.drift
        WHERE first_run <= $1 AND last_run >= $1 AND resolved_at IS NULL AND entity = ANY($2) AND key >= $3 AND key < $4 GROUP BY entity, key ORDER BY entity, key
        """;

    private const string AuditSql = """
        INSERT INTO cdc.reconcile_repairs (run, entity, key, kind, before, request)
        SELECT $1, $2, s.key, s.kind, s.before::jsonb, $3 FROM unnest($4::bigint[], $5::text[], $6::text[]) AS s(key, kind, before)
        """;

    private const string SettleSql = """
        UPDATE cdc.reconcile_repairs r SET outcome = s.outcome, verified_at = clock_timestamp(), verified_lsn = $2::text::pg_lsn
        FROM unnest($3::bigint[], $4::text[]) AS s(key, outcome) WHERE r.request = $1 AND r.key = s.key
        """;

    private const string ResolveSql = """
        UPDATE cdc.drift SET resolved_run = $1, resolved_at = clock_timestamp() WHERE entity = $2 AND key = ANY($3::bigint[]) AND resolved_at IS NULL
        """;

    /// <summary>Keys of which the run recorded drift that is still open.</summary>
    public Task<List<(string Entity, long Key, string Kind)>> OpenAsync(RunRequest request, CancellationToken ct)
    {
        var range = KeySpan.Of(request.Range);
        return engine
            .Statement(OpenSql, run, request.Entities.Select(e => e.Name).ToArray(), range.Low, range.High)
            .RowsAsync(r => (r.GetString(0), r.GetInt64(1), r.GetString(2)), ct);
    }

    /// <summary>Rows that the run found only in the engine, listed or not.</summary>
    public static Task<long> ExtraAsync(NpgsqlConnection engine, long run, string entity, CancellationToken ct) =>
        engine
            .Statement("SELECT coalesce(sum(extra), 0)::bigint FROM cdc.reconcile_partitions WHERE run = $1 AND entity = $2", run, entity)
            .ScalarAsync<long>(ct);

    /// <summary>Repairs whose process ended before it verified them. Only while no other repair is running.</summary>
    public Task CloseAbandonedAsync(CancellationToken ct) =>
        engine.Statement("UPDATE cdc.reconcile_repairs SET outcome = 'unverified' WHERE outcome IS NULL").ExecuteAsync(ct);

    /// <summary>Asks for the keys and writes down why, in one transaction.</summary>
    /// <returns>The request's id.</returns>
    public async Task<long> AskAsync(
        EntityDeclaration entity,
        IReadOnlyDictionary<long, IReadOnlyList<DriftRecord>> rows,
        CancellationToken ct
    )
    {
        await using var transaction = await engine.BeginTransactionAsync(ct);
        var request = await KeyReads.AskAsync(engine, entity, [.. rows.Keys], ct);
        await engine
            .Statement(
                AuditSql,
                run,
                entity.Name,
                request,
                rows.Keys.ToArray(),
                rows.Values.Select(r => Word(r[0].Kind)).ToArray(),
                rows.Values.Select(Before).ToArray()
            )
            .ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
        return request;
    }

    /// <summary>What a comparison said of keys of a request.</summary>
    public async Task SettleAsync(string entity, long request, Lsn at, IReadOnlyDictionary<long, string> outcomes, CancellationToken ct)
    {
        await using var transaction = await engine.BeginTransactionAsync(ct);
        await engine.Statement(SettleSql, request, at.ToString(), outcomes.Keys.ToArray(), outcomes.Values.ToArray()).ExecuteAsync(ct);
        await ResolveAsync(
            entity,
            [.. outcomes.Where(o => o.Value is RepairedKey.Repaired or RepairedKey.Quarantined).Select(o => o.Key)],
            ct
        );
        await transaction.CommitAsync(ct);
    }

    /// <summary>These keys were found equal.</summary>
    public Task ResolveAsync(string entity, long[] keys, CancellationToken ct) =>
        engine.Statement(ResolveSql, run, entity, keys).ExecuteAsync(ct);

    /// <summary>As in cdc.drift.</summary>
    public static string Word(DriftKind kind) => kind.ToString().ToLowerInvariant();

    private static string Before(IReadOnlyList<DriftRecord> rows) =>
        JsonSerializer.Serialize(
            rows.Select(r => new
            {
                field = r.Field,
                odoo = r.OdooValue,
                engine = r.EngineValue,
            }),
            Readable
        );
}
