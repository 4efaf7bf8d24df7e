using Cdc.Testing.Waiting;
using Npgsql;

namespace Cdc.Testing.Equality;

/// <summary>How far the engine has come, read from its own tables.</summary>
public static class EngineProgress
{
    // Every partition must have passed the target, every table be loaded, and no row be waiting to be read again; what waits of a table
    // that is stopped waits for a person.
    private const string CaughtUpSql = """
        SELECT coalesce((SELECT min(through_lsn) FROM cdc.checkpoints) >= $1::pg_lsn, false)
            AND EXISTS (SELECT FROM cdc.tables)
            AND NOT EXISTS (SELECT FROM cdc.tables WHERE state = 'loading')
            AND NOT EXISTS (SELECT FROM cdc.chunks c JOIN cdc.tables t USING (entity) WHERE c.state = 'pending' AND t.state <> 'stopped')
            AND NOT EXISTS (SELECT FROM cdc.rereads r JOIN cdc.tables t USING (entity) WHERE t.state <> 'stopped')
        """;

    private const string StreamCaughtUpSql = "SELECT coalesce((SELECT min(through_lsn) FROM cdc.checkpoints) >= $1::pg_lsn, false)";

    private const string StateSql = """
        SELECT format('through %s, tables %s, %s chunks pending, %s rows to read again',
            (SELECT min(through_lsn) FROM cdc.checkpoints), (SELECT string_agg(entity || ' ' || state, ', ' ORDER BY entity) FROM cdc.tables),
            (SELECT count(*) FROM cdc.chunks WHERE state = 'pending'), (SELECT count(*) FROM cdc.rereads))
        """;

    /// <summary>The source's WAL position at this moment, as PostgreSQL writes it.</summary>
    public static async Task<string> SourcePositionAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        await using var command = source.CreateCommand("SELECT pg_current_wal_insert_lsn()::text");
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Waits until the engine has all that was committed in the source before this call, first loads included.</summary>
    /// <exception cref="TimeoutException">It does not get there; the message says how far it is.</exception>
    public static Task CatchUpAsync(NpgsqlDataSource source, NpgsqlDataSource engine, CancellationToken ct, TimeSpan? timeout = null) =>
        CatchUpAsync(CaughtUpSql, source, engine, timeout, ct);

    /// <summary>Waits for the stream alone: tables may be loading, and rows waiting to be read again.</summary>
    /// <exception cref="TimeoutException">
    /// As with <see cref="CatchUpAsync(NpgsqlDataSource, NpgsqlDataSource, CancellationToken, TimeSpan?)"/>.
    /// </exception>
    public static Task StreamCatchUpAsync(NpgsqlDataSource source, NpgsqlDataSource engine, CancellationToken ct) =>
        CatchUpAsync(StreamCaughtUpSql, source, engine, null, ct);

    private static async Task CatchUpAsync(
        string sql,
        NpgsqlDataSource source,
        NpgsqlDataSource engine,
        TimeSpan? timeout,
        CancellationToken ct
    )
    {
        var target = await SourcePositionAsync(source, ct);
        await Eventually.True(
            $"the engine has caught up with the source's {target}",
            () => HasReachedAsync(engine, sql, target, ct),
            () => StateAsync(engine, ct),
            timeout,
            ct
        );
    }

    private static async Task<bool> HasReachedAsync(NpgsqlDataSource engine, string sql, string target, CancellationToken ct)
    {
        await using var command = engine.CreateCommand(sql);
        command.Parameters.AddWithValue(target);
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private static async Task<string> StateAsync(NpgsqlDataSource engine, CancellationToken ct)
    {
        await using var command = engine.CreateCommand(StateSql);
        return await command.ExecuteScalarAsync(ct) as string ?? "(nothing)";
    }
}
