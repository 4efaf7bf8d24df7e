using Cdc.Capture.Source;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Capture.Checks;

/// <summary>Version, settings and free places of the server, and what the role may do.</summary>
internal sealed record ServerCheck(
    int VersionNumber,
    string WalLevel,
    bool IsStandby,
    string? WalKeepSize,
    int Slots,
    int MaxSlots,
    int Senders,
    int MaxSenders,
    string Role,
    string Database,
    bool IsSuperuser,
    bool MayReplicate,
    bool MayCreate
)
{
    /// <summary>Messages in the stream (markers) exist from 14 on.</summary>
    private const int OldestVersion = 140000;

    /// <summary>From 19 on the first logical slot raises what is written (effective_wal_level), without a restart.</summary>
    private const int RaisesWalLevel = 190000;

    private const string Sql = """
        SELECT current_setting('server_version_num')::int, current_setting('wal_level'), pg_is_in_recovery(),
               current_setting('max_slot_wal_keep_size', true),
               (SELECT count(*) FROM pg_replication_slots)::int, current_setting('max_replication_slots')::int,
               (SELECT count(*) FROM pg_stat_replication)::int, current_setting('max_wal_senders')::int,
               current_user::text, current_database()::text, r.rolsuper, r.rolreplication OR r.rolsuper,
               has_database_privilege(current_database(), 'CREATE')
        FROM pg_roles r WHERE r.rolname = current_user
        """;

    /// <summary>Its catalog lacks columns that the other checks read.</summary>
    public bool IsTooOldToAsk => VersionNumber < 130000;

    public static async Task<ServerCheck> ReadAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (await connection.Statement(Sql).RowsAsync(Read, ct)).Single();

    /// <param name="hasSlot">Our slot exists: it needs no free place.</param>
    /// <param name="isStreaming">A capture is streaming from it: its walsender is already counted.</param>
    public IEnumerable<Finding> Findings(bool hasSlot, bool isStreaming)
    {
        if (VersionNumber < OldestVersion)
            yield return Error(
                "server-version",
                $"The source is PostgreSQL {VersionNumber / 10000}; 14 is the oldest that can be followed.",
                "Upgrade the source to PostgreSQL 14 or newer (pg_upgrade)."
            );
        if (IsStandby)
            yield return Error(
                "server-standby",
                "The source is a standby; chunks and markers need the primary.",
                "Name the primary in Source:ConnectionString (Target Session Attributes=primary picks it from several hosts)."
            );
        if (WalLevel != "logical" && !(WalLevel == "replica" && VersionNumber >= RaisesWalLevel))
            yield return Error(
                "wal-level",
                $"wal_level is {WalLevel}: the source writes too little to decode changes.",
                "ALTER SYSTEM SET wal_level = 'logical'; -- then restart the source"
            );
        if (!MayReplicate)
            yield return Error(
                "role-replication",
                $"Role {Role} may not replicate.",
                $"ALTER ROLE {Core.Postgres.Sql.Identifier(Role)} REPLICATION;"
            );
        if (!hasSlot && Slots >= MaxSlots)
            yield return Error(
                "slots-full",
                $"All {MaxSlots} replication slots are taken.",
                $"ALTER SYSTEM SET max_replication_slots = {MaxSlots + 4}; -- then restart the source, or drop an unused slot"
            );
        if (!isStreaming && Senders >= MaxSenders)
            yield return Error(
                "senders-full",
                $"All {MaxSenders} WAL senders are taken.",
                $"ALTER SYSTEM SET max_wal_senders = {MaxSenders + 4}; -- then restart the source"
            );
        if (WalKeepSize == "-1")
            yield return new Finding(
                "wal-keep-size",
                IsError: false,
                "max_slot_wal_keep_size is not set: while capture is down, the source keeps all WAL, until its disk is full.",
                "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf(); -- what the disk can spare"
            );
    }

    private static Finding Error(string code, string message, string remedy) => new(code, IsError: true, message, remedy);

    private static ServerCheck Read(NpgsqlDataReader row) =>
        new(
            row.GetInt32(0),
            row.GetString(1),
            row.GetBoolean(2),
            row.IsDBNull(3) ? null : row.GetString(3),
            row.GetInt32(4),
            row.GetInt32(5),
            row.GetInt32(6),
            row.GetInt32(7),
            row.GetString(8),
            row.GetString(9),
            row.GetBoolean(10),
            row.GetBoolean(11),
            row.GetBoolean(12)
        );
}
