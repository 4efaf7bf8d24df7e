using System.Text.Json;
using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>cdc.quarantine as an operator uses it. Rows are never applied from here: a retry reads them again from the source.</summary>
public static class QuarantineQueries
{
    private const string Matching = "($1::text IS NULL OR entity = $1) AND (cardinality($2::bigint[]) = 0 OR key = ANY($2))";

    private const string Columns = """
        entity, key, generation || ':' || lsn || ':' || ordinal, reason, detail, source_row::text,
        CASE WHEN isfinite(commit_at) THEN commit_at END, first_seen, last_seen, attempts, retry_requested
        """;

    /// <summary>Oldest first.</summary>
    public static Task<List<QuarantineEntry>> ListAsync(
        NpgsqlConnection connection,
        QuarantineFilter filter,
        int limit,
        CancellationToken ct
    ) =>
        Run(
            connection,
            $"SELECT {Columns} FROM cdc.quarantine WHERE {Matching} ORDER BY first_seen, entity, key LIMIT {limit}",
            filter,
            Read,
            ct
        );

    public static async Task<long> CountAsync(NpgsqlConnection connection, QuarantineFilter filter, CancellationToken ct) =>
        (await Run(connection, $"SELECT count(*) FROM cdc.quarantine WHERE {Matching}", filter, row => row.GetInt64(0), ct)).Single();

    /// <summary>Marks entries to be read again. Returns their number.</summary>
    public static Task<long> RequestRetryAsync(NpgsqlConnection connection, QuarantineFilter filter, CancellationToken ct) =>
        ChangeAsync(connection, $"UPDATE cdc.quarantine SET retry_requested = true WHERE {Matching} RETURNING 1", filter, ct);

    /// <summary>
    /// Forgets entries, and returns their number. The engine's older versions of the rows are marked as not whole: the forgotten change may
    /// have set a column which a later UPDATE leaves unsaid.
    /// </summary>
    public static async Task<long> DiscardAsync(
        NpgsqlConnection connection,
        QuarantineFilter filter,
        EntitySet entities,
        CancellationToken ct
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var discarded = await Run(
            connection,
            $"DELETE FROM cdc.quarantine WHERE {Matching} RETURNING entity, key",
            filter,
            row => (Entity: row.GetString(0), Key: row.GetInt64(1)),
            ct
        );
        foreach (var keys in discarded.ToLookup(d => d.Entity, d => d.Key))
            if (entities.All.FirstOrDefault(e => e.Name == keys.Key) is { } entity)
                await MarkNotWholeAsync(connection, entity, [.. keys], ct);
        await transaction.CommitAsync(ct);
        return discarded.Count;
    }

    /// <summary>
    /// No generation is 0, so that everything the table's own generation says is newer, and nothing older will come again.
    /// </summary>
    private static async Task MarkNotWholeAsync(NpgsqlConnection connection, EntityDeclaration entity, long[] keys, CancellationToken ct)
    {
        var sql = $"UPDATE {entity.EngineName} SET source_generation = 0 WHERE {Sql.Identifier(entity.EngineKey)} = ANY($1)";
        await connection.Statement(sql, keys).ExecuteAsync(ct);
        if (entity.NotifyColumn is not null)
            await connection
                .Statement("SELECT pg_notify($1, $2)", [ChangeNotice.Channel(entity.Name), ChangeNotice.Everything])
                .ExecuteAsync(ct);
    }

    private static async Task<long> ChangeAsync(
        NpgsqlConnection connection,
        string change,
        QuarantineFilter filter,
        CancellationToken ct
    ) => (await Run(connection, $"WITH changed AS ({change}) SELECT count(*) FROM changed", filter, row => row.GetInt64(0), ct)).Single();

    private static Task<List<T>> Run<T>(
        NpgsqlConnection connection,
        string sql,
        QuarantineFilter filter,
        Func<NpgsqlDataReader, T> read,
        CancellationToken ct
    ) => connection.Statement(sql, filter.Entity, filter.Keys.ToArray()).RowsAsync(read, ct);

    private static QuarantineEntry Read(NpgsqlDataReader row) =>
        new(
            row.GetString(0),
            row.GetInt64(1),
            row.GetString(2),
            row.GetString(3),
            row.GetString(4),
            row.Get<string>(5) is { } json ? JsonDocument.Parse(json).RootElement : null,
            row.Time(6),
            row.Time(7)!.Value,
            row.Time(8)!.Value,
            row.GetInt32(9),
            row.GetBoolean(10)
        );
}
