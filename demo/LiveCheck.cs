using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Cdc.Testing.Equality;
using Cdc.Testing.Processes;
using Cdc.Testing.Waiting;

namespace Cdc.Demo;

/// <summary>
/// Compares some rows while Odoo works. For the blink of an eye the workload's process is stopped: what it has not committed is in
/// neither database, and what it has committed will be in both.
/// </summary>
internal sealed class LiveCheck(DemoServers servers, EntitySet entities, WatchedProcess workload)
{
    private const int Keys = 2000;
    private readonly EqualityCheck _check = new(entities);

    /// <summary>Of keys from a random place on.</summary>
    public async Task<EqualityReport> RunAsync(CancellationToken ct)
    {
        var from = Random.Shared.NextInt64(await HighestKeyAsync(ct) + 1);
        workload.Send(Signal.Stop);
        try
        {
            var report = await CompareAsync(from, ct);
            // At the first check a COMMIT may have been unread in the socket: then only one side was queried before it. A real difference
            // stays.
            return report.AreEqual ? report : await CompareAsync(from, ct);
        }
        finally
        {
            workload.Send(Signal.Continue);
        }
    }

    private async Task<EqualityReport> CompareAsync(long from, CancellationToken ct)
    {
        await Eventually.True("the stopped workload's last statements have ended", () => IsQuietAsync(ct), ct: ct);
        await EngineProgress.CatchUpAsync(servers.Source, servers.Engine, ct);
        return await _check.CompareAsync(servers.Source, servers.Engine, ct, new KeyRange(from, from + Keys));
    }

    private async Task<bool> IsQuietAsync(CancellationToken ct)
    {
        await using var command = servers.Source.CreateCommand(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'cdc-workload' AND state = 'active' AND "
                + "wait_event_type IS DISTINCT FROM 'Lock' AND wait_event_type IS DISTINCT FROM 'Client')"
        );
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private async Task<long> HighestKeyAsync(CancellationToken ct)
    {
        await using var command = servers.Source.CreateCommand(
            $"SELECT coalesce(max({Sql.Identifier(entities[0].Key.Name)}), 0)::bigint FROM {entities[0].SourceName}"
        );
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }
}
