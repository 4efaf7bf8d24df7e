using Cdc.Core.Failures;
using Npgsql;

namespace Cdc.Core.Postgres;

/// <summary>A server whose commits wait for a synchronous standby that is not there: it answers everything, and ends no commit.</summary>
public static class MissingStandbys
{
    // A role without pg_read_all_stats sees that there are standbys, and not which of them are synchronous.
    private const string Sql = """
        SELECT current_setting('synchronous_standby_names') FROM (SELECT) one
        WHERE current_setting('synchronous_standby_names') <> ''
            AND NOT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum') OR sync_state IS NULL)
        """;

    /// <returns>Null: none is missing, as far as our role may see.</returns>
    public static async Task<Finding?> FindAsync(NpgsqlConnection connection, Server server, CancellationToken ct)
    {
        if (await connection.Statement(Sql).RowsAsync(row => row.GetString(0), ct) is not [var names])
            return null;
        var (code, wait) =
            server == Server.Source
                ? ("source-standby-missing", "Odoo's commits wait there, and what waits is in no chunk")
                : ("engine-standby-missing", "what is applied is never confirmed to the slot, which keeps its WAL");
        return new Finding(
            code,
            IsError: false,
            $"No standby that synchronous_standby_names ({names}) wants is connected: {wait}.",
            "Start the standby; or, if it is gone for good: ALTER SYSTEM RESET synchronous_standby_names; SELECT pg_reload_conf();"
        );
    }
}
