using Cdc.Api.Engine;
using Cdc.Core.Postgres;
using Cdc.Core.Telemetry;
using Microsoft.Extensions.Logging;

namespace Cdc.Api.Operations;

/// <summary>cdc.applied_days: how many changes were applied on each day (UTC), by any process.</summary>
internal sealed class AppliedDays(EngineReads engine, PipelineStatistics? statistics, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private long _rows;
    private long _transactions;

    public Task<long> TodayAsync(CancellationToken ct) =>
        engine.UseAsync(
            async connection =>
            {
                var days = await connection
                    .Statement("SELECT rows FROM cdc.applied_days WHERE day = (now() AT TIME ZONE 'UTC')::date")
                    .RowsAsync(row => row.GetInt64(0), ct);
                return days.SingleOrDefault() + (statistics is null ? 0 : statistics.RowsApplied - Volatile.Read(ref _rows));
            },
            ct
        );

    /// <summary>Of all days and processes, as far as they have reported.</summary>
    public Task<long> TotalAsync(CancellationToken ct) =>
        engine.UseAsync(
            connection => connection.Statement("SELECT coalesce(sum(rows), 0)::bigint FROM cdc.applied_days").ScalarAsync<long>(ct),
            ct
        );

    /// <summary>Adds what this process has applied, until it is cancelled, and then one last time.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (statistics is null)
            return;
        while (!ct.IsCancellationRequested)
        {
            await Task.Delay(Interval, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await AddAsync(statistics);
            }
            catch (EngineUnavailableException e)
            {
                ApiLog.CountFailed(log, e.InnerException?.GetType().Name ?? e.GetType().Name);
            }
        }
    }

    private async Task AddAsync(PipelineStatistics applied)
    {
        var (rows, transactions) = (applied.RowsApplied, applied.TransactionsApplied);
        if (rows == _rows && transactions == _transactions)
            return;
        await engine.UseAsync(
            connection =>
                connection
                    .Statement(
                        """
                        INSERT INTO cdc.applied_days AS d (day, rows, transactions) VALUES ((now() AT TIME ZONE 'UTC')::date, $1, $2)
                        ON CONFLICT (day) DO UPDATE SET rows = d.rows + EXCLUDED.rows, transactions = d.transactions + EXCLUDED.transactions
                        """,
                        rows - _rows,
                        transactions - _transactions
                    )
                    .ExecuteAsync(CancellationToken.None),
            CancellationToken.None
        );
        Volatile.Write(ref _rows, rows);
        _transactions = transactions;
    }
}
