using Cdc.Core.Changes;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Api.Replicas;

/// <summary>
/// What the listener saw of the engine's own WAL. A replica that has replayed this much shows every change that was announced before the
/// mark, and is no more than a beat behind.
/// </summary>
/// <param name="Mark">The cache's, taken before.</param>
/// <param name="SystemIdentifier">Of the engine's server: its replicas have the same.</param>
internal sealed record EngineBeat(long Mark, Lsn Written, long SystemIdentifier)
{
    public static async Task<EngineBeat> ReadAsync(long mark, NpgsqlConnection connection, CancellationToken ct) =>
        (
            await connection
                .Statement("SELECT pg_current_wal_insert_lsn(), system_identifier FROM pg_control_system()")
                .RowsAsync(row => new EngineBeat(mark, row.Lsn(0), row.GetInt64(1)), ct)
        ).Single();
}
