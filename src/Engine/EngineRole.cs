using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine;

/// <summary>What a connection to the engine is for: its application name says it in pg_stat_activity.</summary>
public enum EngineRole
{
    /// <summary>Rows and checkpoint. Over Kafka each worker's name carries its owner token too.</summary>
    Apply,

    /// <summary>Chunks: loads beside the stream, and sweeps.</summary>
    Load,

    /// <summary>What is written down before it is confirmed to the slot.</summary>
    Feedback,

    /// <summary>What is to be read.</summary>
    Chunks,

    /// <summary>Fences, and the notifications about them.</summary>
    Fences,

    /// <summary>Whether the engine answers.</summary>
    Pulse,

    /// <summary>The engine's side of a capture over Kafka.</summary>
    Capture,

    /// <summary>Takes partitions of the Kafka log over.</summary>
    Assign,

    /// <summary>The record of the source that is followed.</summary>
    Source,

    /// <summary>Holds the lock of the process that makes a generation.</summary>
    Generation,

    /// <summary>Says that the process is up, and how its pipeline stands.</summary>
    Process,

    /// <summary>Requests of the Api.</summary>
    Api,

    /// <summary>Notifications to the Api.</summary>
    ApiListener,

    /// <summary>Requests of the Api, on a read replica.</summary>
    ApiReplica,

    /// <summary>Comparisons.</summary>
    Reconcile,
}

/// <summary>Application names, and the lists of them that statements search for.</summary>
public static class EngineRoles
{
    private static readonly string EndEarlierSql = $"""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
            AND application_name IN ({List(
            EngineRole.Apply,
            EngineRole.Load,
            EngineRole.Feedback,
            EngineRole.Chunks,
            EngineRole.Fences,
            EngineRole.Pulse
        )})
        """;

    /// <summary>A condition on pg_stat_activity: the connection belongs to a process that captures or applies.</summary>
    internal static readonly string FollowsSource =
        $"(application_name IN ({List(EngineRole.Apply, EngineRole.Capture)}) OR application_name LIKE '{EngineRole.Apply.ApplicationName()} %')";

    public static string ApplicationName(this EngineRole role) =>
        role switch
        {
            EngineRole.ApiListener => "cdc api listener",
            EngineRole.ApiReplica => "cdc api replica",
            _ => $"cdc {role.ToString().ToLowerInvariant()}",
        };

    /// <summary>Of a worker that others must be able to find by its owner token.</summary>
    public static string ApplicationName(this EngineRole role, Guid owner) => $"{role.ApplicationName()} {owner}";

    /// <summary>
    /// The slot is ours, so what is left of earlier sessions in-process belongs to none. One whose client vanished without a message (its
    /// machine or the network died) would keep its locks, the checkpoint's among them, for hours.
    /// </summary>
    public static Task EndEarlierSessionsAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement(EndEarlierSql).ExecuteAsync(ct);

    private static string List(params IEnumerable<EngineRole> roles) => string.Join(", ", roles.Select(r => $"'{r.ApplicationName()}'"));
}
