using Cdc.Testing.Processes;
using Npgsql;

namespace Cdc.Testing.Postgres;

/// <summary>
/// Copies the files of a running server into those of a hot standby, as pg_basebackup does: not every package of PostgreSQL has that
/// program, and it works on its own version only.
/// </summary>
internal sealed class PgBaseBackup(string server)
{
    private static readonly Version NewNames = new(15, 0);

    /// <param name="from">Data folder of the server.</param>
    /// <param name="to">Data folder of the standby, which is made.</param>
    public async Task CopyAsync(string from, string to, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(ct);
        var isNew = connection.PostgreSqlVersion >= NewNames;
        // The session that begins a backup ends it.
        await ScalarAsync(
            connection,
            isNew ? "SELECT pg_backup_start('standby', true)" : "SELECT pg_start_backup('standby', true, false)",
            ct
        );
        await CopyFilesAsync(from, to, ct);
        var label = await ScalarAsync(
            connection,
            isNew ? "SELECT labelfile FROM pg_backup_stop(false)" : "SELECT labelfile FROM pg_stop_backup(false, false)",
            ct
        );
        // The server opens it for writing.
        await Tool.RunAsync(
            PgFolder.AsOwner("/bin/sh", "-c", """printf %s "$1" >"$2" """, "sh", label, Path.Combine(to, "backup_label")),
            ct
        );
        await File.WriteAllTextAsync(Path.Combine(to, "standby.signal"), "", ct);
        var settings = new NpgsqlConnectionStringBuilder(server);
        await File.AppendAllTextAsync(
            Path.Combine(to, "postgresql.auto.conf"),
            $"primary_conninfo = 'host={settings.Host} port={settings.Port} user={settings.Username} dbname={settings.Database}'\n",
            ct
        );
    }

    /// <summary>Without WAL, which the standby streams, and without what belongs to the running server. Files may vanish meanwhile.</summary>
    private static Task<string> CopyFilesAsync(string from, string to, CancellationToken ct) =>
        Tool.RunAsync(
            PgFolder.AsOwner(
                "/bin/sh",
                "-c",
                """
                mkdir -m 700 "$2" && cd "$1" && for part in *; do
                    case "$part" in postmaster.pid | postmaster.opts | pg_wal | pg_replslot) ;; *) cp -a "$part" "$2/" 2>/dev/null ;; esac
                done
                mkdir -m 700 "$2/pg_wal" "$2/pg_wal/archive_status" "$2/pg_wal/summaries" "$2/pg_replslot"
                """,
                "sh",
                from,
                to
            ),
            ct
        );

    private static async Task<string> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }
}
