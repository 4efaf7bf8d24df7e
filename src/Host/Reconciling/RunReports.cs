using System.Text.Json;
using Cdc.Core.Failures;
using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;
using Cdc.Reconcile.Reports;
using Npgsql;

namespace Cdc.Host.Reconciling;

/// <summary>Recorded runs, for callers without their own connection.</summary>
internal sealed class RunReports(Database engine) : IRunReports
{
    public Task<JsonElement?> ReadAsync(long? run, int maxDrift, bool withValues, CancellationToken ct) =>
        engine.UseAsync(
            async connection =>
            {
                if (
                    (run ?? await NewestAsync(connection, ct)) is not { } id
                    || await FindAsync(connection, id, maxDrift, ct) is not { } report
                )
                    return (JsonElement?)null;
                return Json.Element(
                    withValues
                        ? report
                        : report with
                        {
                            Drift = [.. report.Drift.Select(d => d with { OdooValue = null, EngineValue = null })],
                        }
                );
            },
            ct
        );

    private static async Task<long?> NewestAsync(NpgsqlConnection connection, CancellationToken ct) =>
        (
            await connection.Statement("SELECT max(id) FROM cdc.reconcile_runs WHERE state = 'done'").RowsAsync(row => row.Long(0), ct)
        ).Single();

    private static async Task<RunReport?> FindAsync(NpgsqlConnection connection, long run, int maxDrift, CancellationToken ct)
    {
        try
        {
            return await ReportReader.ReadAsync(connection, run, maxDrift, ct);
        }
        catch (CdcException none) when (none.Kind == FailureKind.Usage)
        {
            return null;
        }
    }
}
