using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Runs;

/// <summary>Rows taken at random from each company and compared value by value: what the hashes say, checked by other means.</summary>
internal static class SpotChecks
{
    private const int Draws = 200;
    private const int RowsOfCompany = 20;

    public static async Task RunAsync(
        ComparedServers servers,
        NpgsqlConnection engine,
        EntityDeclaration entity,
        long run,
        ReconcileOptions options,
        CancellationToken ct
    )
    {
        try
        {
            await using var fence = await servers.Fences.OpenAsync(entity, KeyRange.All, ct);
            if (fence.InFlight.All)
                return;
            await ComparedSession.PrepareAsync(fence.Source, options.StatementTimeout, ct);
            await ComparedSession.PrepareAsync(fence.Engine, options.StatementTimeout, ct);
            var leftOut = await ExceptionKeys.ReadAsync(fence, entity, KeySpan.All, ct);
            var keys = await TableAccess.ReadAsync(Server.Source, entity, () => DrawAsync(fence.Source, entity, leftOut, ct));
            var (drift, _, _) = await RowComparison.ReadAsync(servers, fence, entity, [.. keys.SelectMany(k => k.Keys)], ct);
            var differing = drift.Select(d => d.Key).ToHashSet();
            foreach (var (company, drawn) in keys)
                await engine
                    .Statement(
                        "INSERT INTO cdc.reconcile_spot_checks (run, entity, company_id, keys, differing) VALUES ($1, $2, $3::bigint, $4, $5)",
                        run,
                        entity.Name,
                        company,
                        drawn,
                        drawn.Where(differing.Contains).ToArray()
                    )
                    .ExecuteAsync(ct);
        }
        catch (CdcException failure) when (LeftOut.IsOfOneTable(failure))
        {
            // Its rows were compared at fences of their own, and the next run says what has come in between.
        }
    }

    /// <summary>Places between the lowest and the highest key, and the next row of each.</summary>
    private static string DrawSql(EntityDeclaration entity, string company)
    {
        // No index has the order of hashes: they are computed once, and not for each place.
        const string Hashed = "cdc_hashed";
        var isHashed = entity.HashedKey is not null;
        var key = isHashed ? new SourceKey("key", null) : entity.SourceKey;
        var (rows, drawn) = isHashed ? (Hashed, "company") : (entity.SourceRows, company);
        var with = isHashed
            ? $"WITH {Hashed} AS MATERIALIZED (SELECT {entity.SourceKey.Number()} AS key, {company} AS company FROM {entity.SourceRows}) "
            : "";
        return with
            + $"""
                SELECT DISTINCT cdc_draw.key, cdc_draw.company
                FROM (SELECT low + ((high - low + 1) * random())::bigint AS at
                    FROM (SELECT ({End(key.Order())}) AS low, ({End(
                    key.OrderFalling()
                )}) AS high) AS cdc_ends, generate_series(1, {Draws})) AS cdc_places,
                LATERAL (SELECT {key.Number()}::bigint AS key, {drawn} AS company FROM {rows} AS cdc_row WHERE {key.From(
                    "cdc_places.at"
                )} ORDER BY {key.Order()} LIMIT 1) AS cdc_draw
                """;

        string End(string order) => $"SELECT {key.Number()}::bigint FROM {rows} ORDER BY {order} LIMIT 1";
    }

    private static async Task<List<(long? Company, long[] Keys)>> DrawAsync(
        NpgsqlConnection connection,
        EntityDeclaration entity,
        ExceptionKeys leftOut,
        CancellationToken ct
    )
    {
        var company = entity.Columns.FirstOrDefault(c => c.Name == "company_id") is { } column
            ? $"({column.Value})::bigint"
            : "NULL::bigint";
        var rows = await connection.Statement(DrawSql(entity, company)).RowsAsync(r => (Key: r.GetInt64(0), Company: r.Long(1)), ct);
        var except = leftOut.All.ToHashSet();
        return
        [
            .. rows.Where(r => KeySpan.All.Contains(r.Key) && !except.Contains(r.Key) && !leftOut.Loading.Any(l => l.Contains(r.Key)))
                .GroupBy(r => r.Company)
                .Select(g => (g.Key, g.Select(r => r.Key).Order().Take(RowsOfCompany).ToArray())),
        ];
    }
}
