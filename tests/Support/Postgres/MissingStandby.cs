using Npgsql;

namespace Cdc.Tests.Support.Postgres;

/// <summary>
/// Commits of a cluster wait for a synchronous standby that there is not: they are in the WAL, and streamed, before any snapshot sees them.
/// </summary>
public sealed class MissingStandby(PgCluster cluster) : IAsyncDisposable
{
    /// <summary>From here on commits wait.</summary>
    public async Task HoldAsync()
    {
        await ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        await KnownAsync("nobody");
    }

    /// <summary>Those that wait become visible.</summary>
    public async Task ReleaseAsync()
    {
        await ExecuteAsync("ALTER SYSTEM RESET synchronous_standby_names");
        await KnownAsync("");
    }

    public async ValueTask DisposeAsync() => await ReleaseAsync();

    private async Task KnownAsync(string setting)
    {
        await ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.True("the setting is known", async () => await SettingAsync() == setting);
    }

    private Task<string?> SettingAsync() =>
        UseAsync(
            "SELECT setting FROM pg_settings WHERE name = 'synchronous_standby_names'",
            async c => (string?)await c.ExecuteScalarAsync()
        );

    private Task<int> ExecuteAsync(string sql) => UseAsync(sql, c => c.ExecuteNonQueryAsync());

    private async Task<T> UseAsync<T>(string sql, Func<NpgsqlCommand, Task<T>> use)
    {
        var connection = new NpgsqlConnection(cluster.ConnectionString("postgres") + ";Pooling=false;Options=-c synchronous_commit=local");
        await using (connection)
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            return await use(command);
        }
    }
}
