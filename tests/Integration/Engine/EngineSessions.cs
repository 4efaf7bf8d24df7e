using Cdc.Engine;
using Cdc.Testing.Waiting;
using Cdc.Tests.Support.Postgres;

namespace Cdc.Tests.Integration.Engine;

/// <summary>Connections of a role as the engine sees them.</summary>
internal static class EngineSessions
{
    public static async Task<long> CountAsync(TestDatabase database, EngineRole role, CancellationToken ct) =>
        await database.ScalarAsync<long>(
            $"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{role.ApplicationName()}'",
            ct
        );

    public static Task ClosedAsync(TestDatabase database, EngineRole role, CancellationToken ct) =>
        Eventually.True($"connections of {role} are closed", async () => await CountAsync(database, role, ct) == 0, ct: ct);
}
