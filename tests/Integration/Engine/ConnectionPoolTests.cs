using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Engine;

public sealed class ConnectionPoolTests(TestServers servers)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_is_kept_for_the_next_user_and_closed_with_the_pool()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("pool", ct: Ct);
        await using (var pool = Pool(database))
        {
            Assert.Equal(await PidAsync(pool), await PidAsync(pool));
            Assert.Equal(1, await EngineSessions.CountAsync(database, EngineRole.Load, Ct));
        }
        await EngineSessions.ClosedAsync(database, EngineRole.Load, Ct);
    }

    [Fact]
    public async Task One_whose_user_failed_is_closed()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("pool", ct: Ct);
        await using var pool = Pool(database);
        await Assert.ThrowsAsync<PostgresException>(() => pool.UseAsync(c => c.Statement("BEGIN; SELECT 1 / 0").ScalarAsync<int>(Ct), Ct));
        await EngineSessions.ClosedAsync(database, EngineRole.Load, Ct);
        Assert.NotEqual(0, await PidAsync(pool));
    }

    [Fact]
    public async Task One_that_broke_while_it_was_idle_is_not_given_to_the_next_user()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("pool", ct: Ct);
        await using var pool = Pool(database);
        NpgsqlConnection? idle = null;
        await pool.UseAsync(c => Task.FromResult(idle = c), Ct);
        await idle!.CloseAsync();
        Assert.NotEqual(0, await PidAsync(pool));
    }

    private static Task<int> PidAsync(ConnectionPool<NpgsqlConnection> pool) =>
        pool.UseAsync(c => c.Statement("SELECT pg_backend_pid()").ScalarAsync<int>(Ct), Ct);

    private static ConnectionPool<NpgsqlConnection> Pool(TestDatabase database) =>
        new(
            ct => EngineConnection.OpenAsync(new EngineOptions { ConnectionString = database.ConnectionString }, EngineRole.Load, ct),
            connection => connection
        );
}
