using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Processes;

/// <summary>Which processes of cdc are up, wherever they run, and how their pipelines stand.</summary>
public static class RunningProcesses
{
    // Everybody sees a lock; what its session does only a role that has its rights, or pg_read_all_stats. One that has not spoken for so long
    // is gone, though the server has not noticed yet.
    private const string Sql = $"""
        SELECT a.query FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND (l.classid::bigint << 32) + l.objid::bigint = $1
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND a.query_start > clock_timestamp() - interval '45 s' IS NOT FALSE
        """;

    public static async Task<IReadOnlyList<ProcessStanding>> ReadAsync(NpgsqlConnection engine, CancellationToken ct) =>
        await engine.Statement(Sql, AdvisoryLocks.Processes).RowsAsync(row => ProcessStanding.Parse(row.Get<string>(0)) ?? Hidden, ct);

    /// <summary>It is up, and who asks may see neither what it is nor how it stands.</summary>
    private static ProcessStanding Hidden { get; } = new("", "unknown", null);

    /// <summary>All of them together; null: none is up.</summary>
    public static async Task<PipelineStatus?> PipelineAsync(NpgsqlConnection engine, CancellationToken ct) =>
        Of(await ReadAsync(engine, ct));

    /// <summary>
    /// Of two that do the same the better one counts: the other has nothing to do. A standby counts where no other does the same: it does
    /// no work, so it hides nobody who is to. Whoever applies does so for partitions of its own; of these, and of the ends of the Kafka log,
    /// the worst.
    /// </summary>
    internal static PipelineStatus? Of(IEnumerable<ProcessStanding> processes) =>
        processes.GroupBy(p => p.Part).Select(OfPart).MaxBy(Badness) is { } worst
            ? new PipelineStatus(worst.State, worst.Kind, worst.Gap, worst.Reason, worst.Remedy)
            {
                Process = worst.Part.Length > 0 ? worst.Part : null,
                Since = worst.Since,
            }
            : null;

    private static ProcessStanding OfPart(IGrouping<string, ProcessStanding> parts) =>
        parts.Key == "apply" ? parts.MaxBy(Badness)! : parts.OrderBy(p => p.State == "standby").ThenBy(Badness).First();

    private static int Badness(ProcessStanding process) =>
        process.State switch
        {
            "working" => 0,
            "standby" => 0,
            "unknown" => 1,
            "retrying" => 2,
            "waiting" => 3,
            _ => 4,
        };
}
