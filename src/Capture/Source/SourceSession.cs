using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Source;

/// <summary>What heartbeats, chunks and fences ask of an open connection to the source.</summary>
internal sealed class SourceSession(NpgsqlConnection connection)
{
    /// <summary>
    /// From 17 on a message can be flushed as it is written. Before, a message does not even make its transaction's commit flush, and waits
    /// for the WAL writer (6-100 ms on an idle server): a transaction id taken beside it makes the commit flush both.
    /// </summary>
    private static readonly Version FlushesMessages = new(17, 0);

    /// <summary>In a REPEATABLE READ transaction: the transaction's own snapshot. In autocommit: that of this moment.</summary>
    public async Task<SourceSnapshot> SnapshotAsync(CancellationToken ct) =>
        SourceSnapshot.Parse(await connection.Statement("SELECT pg_current_snapshot()::text").ScalarAsync<string>(ct));

    /// <summary>
    /// In autocommit: a snapshot whose Xmax is above every transaction that had begun to write before this call. A snapshot's own is only
    /// above those that have ended: a writer that began last may be at it or beyond. One that takes an id and ends lies between the two.
    /// </summary>
    public async Task<SourceSnapshot> SnapshotAboveWritersAsync(CancellationToken ct)
    {
        await connection.Statement("SELECT pg_current_xact_id()::text").ScalarAsync<string>(ct);
        return await SnapshotAsync(ct);
    }

    /// <summary>
    /// Writes a marker into the WAL, outside of any transaction; returns the LSN under which the stream brings it. Never inside a read
    /// transaction, where nothing flushes it: the connection has to be in autocommit.
    /// </summary>
    public Task<Lsn> EmitMarkerAsync(string prefix, byte[] content, CancellationToken ct) => EmitAsync("$2", ct, prefix, content);

    /// <summary>
    /// A marker with the source's time, read before the marker gets its LSN: everything committed by then lies below it. Eight bytes,
    /// microseconds since 2000-01-01 UTC in network order, as PostgreSQL sends a timestamptz.
    /// </summary>
    public Task<Lsn> EmitHeartbeatAsync(string prefix, CancellationToken ct) =>
        EmitAsync("timestamptz_send(clock_timestamp())", ct, prefix);

    private async Task<Lsn> EmitAsync(string content, CancellationToken ct, params object[] parameters)
    {
        var sql =
            connection.PostgreSqlVersion >= FlushesMessages
                ? $"SELECT pg_logical_emit_message(false, $1, {content}, true)::text"
                : $"SELECT pg_logical_emit_message(false, $1, {content})::text, pg_current_xact_id()";
        return Lsn.Parse(await connection.Statement(sql, parameters).ScalarAsync<string>(ct));
    }

    /// <summary>End of the WAL written so far, flushed or not: everything committed by now lies below it.</summary>
    public async Task<Lsn> CurrentWalLsnAsync(CancellationToken ct) =>
        Lsn.Parse(await connection.Statement("SELECT pg_current_wal_insert_lsn()::text").ScalarAsync<string>(ct));
}
