using Cdc.Core.Changes;
using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Host.Servers;

namespace Cdc.Host.Status;

/// <summary>One small query. PostgreSQL computes the columns from left to right, so the time is read first.</summary>
internal sealed class SourceClock(Database source) : ISourceClock
{
    private const string Sql =
        "SELECT clock_timestamp(), pg_current_wal_insert_lsn()::text, system_identifier::text FROM pg_control_system()";

    public async Task<SourceMoment> ReadAsync(CancellationToken ct) =>
        (
            await source.UseAsync(
                c =>
                    c.Statement(Sql)
                        .RowsAsync(row => new SourceMoment(row.Time(0)!.Value, Lsn.Parse(row.GetString(1)), row.GetString(2)), ct),
                ct
            )
        ).Single();
}
