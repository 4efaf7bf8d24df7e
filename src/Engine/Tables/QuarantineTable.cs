using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Tables;

/// <summary>A row of the quarantine that is not shown in its topic yet, as JSON.</summary>
public sealed record UnpublishedRow(string Entity, long Key, int Attempts, string Json);

/// <summary>cdc.quarantine beside the rows: written with them (<see cref="Rows.UpsertSql"/>), shown in the topics here.</summary>
public static class QuarantineTable
{
    private const string UnpublishedSql = """
        SELECT entity, key, attempts, json_build_object('entity', entity, 'key', key, 'reason', reason, 'detail', detail, 'row', source_row,
            'position', json_build_object('generation', generation, 'lsn', lsn, 'ordinal', ordinal), 'commitAt', commit_at, 'firstSeen', first_seen, 'attempts', attempts)::text
        FROM cdc.quarantine WHERE published_attempts < attempts ORDER BY last_seen LIMIT 200
        """;

    private const string SetPublishedSql = """
        UPDATE cdc.quarantine q SET published_attempts = s.attempts FROM unnest($1::text[], $2::bigint[], $3::integer[]) s(entity, key, attempts)
        WHERE q.entity = s.entity AND q.key = s.key
        """;

    /// <summary>Every key with an entry, of the quarantine or to be read again.</summary>
    internal const string EntriesSql = "SELECT entity, key FROM cdc.quarantine UNION ALL SELECT entity, key FROM cdc.rereads";

    internal static async Task<IReadOnlyList<UnpublishedRow>> UnpublishedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var command = connection.Statement(UnpublishedSql);
        await command.PrepareAsync(ct);
        return await command.RowsAsync(r => new UnpublishedRow(r.GetString(0), r.GetInt64(1), r.GetInt32(2), r.GetString(3)), ct);
    }

    internal static Task SetPublishedAsync(NpgsqlConnection connection, IReadOnlyList<UnpublishedRow> rows, CancellationToken ct) =>
        connection
            .Statement(
                SetPublishedSql,
                rows.Select(r => r.Entity).ToArray(),
                rows.Select(r => r.Key).ToArray(),
                rows.Select(r => r.Attempts).ToArray()
            )
            .ExecuteAsync(ct);
}
