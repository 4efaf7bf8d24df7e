using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Host.Servers;
using Npgsql;

namespace Cdc.Host.Status;

/// <summary>
/// Reads the source: its WAL position, what the slot keeps, and which session blocks the slot. Needs no privilege beyond CONNECT.
/// </summary>
internal static class SourceStatusReader
{
    // A slot that was given up keeps nothing, wherever its restart_lsn is. The name of the current WAL file carries the timeline; pg_control_checkpoint() still has the old one right after a promotion.
    private const string Sql = """
        SELECT c.system_identifier::text, ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int,
               current_database()::text, pg_current_wal_insert_lsn()::text, pg_current_wal_flush_lsn()::text, clock_timestamp(),
               (SELECT extract(epoch FROM clock_timestamp() - min(started))::float8 FROM
                  (SELECT xact_start AS started FROM pg_stat_activity
                    WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'
                   UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()) open),
               s.slot_name::text, s.plugin::text, s.database::text, s.active, s.active_pid, s.wal_status, s.safe_wal_size,
               CASE WHEN s.wal_status = 'lost' OR to_jsonb(s) ->> 'invalidation_reason' IS NOT NULL THEN 0
                    ELSE pg_wal_lsn_diff(pg_current_wal_insert_lsn(), s.restart_lsn)::bigint END,
               s.restart_lsn::text, s.confirmed_flush_lsn::text, to_jsonb(s) ->> 'invalidation_reason'
        FROM pg_control_system() c LEFT JOIN pg_replication_slots s ON s.slot_name = $1
        """;

    public static async Task<SourceStatus> ReadAsync(NpgsqlConnection connection, string slot, CancellationToken ct) =>
        (await connection.Statement(Sql, [slot]).RowsAsync(Read, ct)).Single();

    private static SourceStatus Read(NpgsqlDataReader row) =>
        new()
        {
            SystemIdentifier = row.GetString(0),
            Timeline = row.GetInt32(1),
            Database = row.GetString(2),
            InsertLsn = row.GetString(3),
            FlushLsn = row.GetString(4),
            Now = row.Time(5)!.Value,
            OldestTransactionSeconds = row.Double(6),
            Slot = row.IsDBNull(7) ? null : ReadSlot(row),
        };

    private static SlotStatus ReadSlot(NpgsqlDataReader row) =>
        new(
            row.GetString(7),
            row.Get<string>(8),
            row.Get<string>(9),
            row.GetBoolean(10),
            row.IsDBNull(11) ? null : row.GetInt32(11),
            row.Get<string>(12),
            row.Long(13),
            row.Long(14),
            row.Get<string>(15),
            row.Get<string>(16)
        )
        {
            InvalidationReason = row.Get<string>(17),
        };
}
