using System.Collections.Concurrent;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine;
using Cdc.Tests.Support.Postgres;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Engine;

public sealed class SharedConnectionTests(TestServers servers)
{
    private const string Deadlock = "DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_deadlock_is_repeated_where_it_happened_on_the_same_connection()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("shared", ct: Ct);
        await using var shared = Connect(database);
        var pids = new List<int>();
        var answer = await shared.UseAsync(
            async connection =>
            {
                pids.Add(connection.ProcessID);
                if (pids.Count < 3)
                    await connection.Statement(Deadlock).ExecuteAsync(Ct);
                return await connection.Statement("SELECT 1").ScalarAsync<int>(Ct);
            },
            Ct
        );
        Assert.Equal((1, 3, 1), (answer, pids.Count, pids.Distinct().Count()));
    }

    [Fact]
    public async Task What_fails_for_one_user_is_thrown_to_that_one_and_the_waiting_ones_get_a_new_connection()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("shared", ct: Ct);
        await using var shared = Connect(database);
        var (inUse, goOn) = (NewSignal(), NewSignal());
        var failing = shared.UseAsync(
            async connection =>
            {
                inUse.SetResult();
                await goOn.Task;
                return await connection.Statement("SELECT pg_terminate_backend(pg_backend_pid())").ScalarAsync<bool>(Ct);
            },
            Ct
        );
        await inUse.Task.WaitAsync(Soon, Ct);
        var waiting = Enumerable
            .Range(0, 10)
            .Select(i => shared.UseAsync(c => c.Statement($"SELECT {i}").ScalarAsync<int>(Ct), Ct))
            .ToArray();
        goOn.SetResult();
        var failure = await Assert.ThrowsAsync<EngineException>(() => failing.WaitAsync(Soon, Ct));
        Assert.Equal(FailureKind.Unavailable, failure.Failure.Kind);
        Assert.Equal(Enumerable.Range(0, 10), await Task.WhenAll(waiting).WaitAsync(Soon, Ct));
    }

    [Fact]
    public async Task Under_load_users_that_fail_disturb_no_other()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("shared", ct: Ct);
        await using var shared = Connect(database);
        var unexpected = new ConcurrentBag<Exception>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(user => Task.Run(() => UseManyTimesAsync(shared, user, unexpected), Ct)))
            .WaitAsync(Soon, Ct);
        Assert.Empty(unexpected);
    }

    [Fact]
    public async Task One_that_broke_while_it_was_idle_is_replaced()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("shared", ct: Ct);
        await using var shared = Connect(database);
        NpgsqlConnection? first = null;
        await shared.UseAsync(
            connection =>
            {
                first = connection;
                return Task.CompletedTask;
            },
            Ct
        );
        await first!.CloseAsync();
        Assert.Equal(7, await shared.UseAsync(c => c.Statement("SELECT 7").ScalarAsync<int>(Ct), Ct));
    }

    [Fact]
    public async Task Disposed_under_its_users_it_is_closed_by_the_last_and_leaves_none_waiting()
    {
        await using var database = await servers.Engine.CreateDatabaseAsync("shared", ct: Ct);
        var shared = Connect(database);
        var (inUse, goOn) = (NewSignal(), NewSignal());
        var using1 = shared.UseAsync(
            async connection =>
            {
                inUse.SetResult();
                await goOn.Task;
                return await connection.Statement("SELECT 1").ScalarAsync<int>(Ct);
            },
            Ct
        );
        await inUse.Task.WaitAsync(Soon, Ct);
        var waiting = shared.UseAsync(c => c.Statement("SELECT 2").ScalarAsync<int>(Ct), Ct);
        await shared.DisposeAsync().AsTask().WaitAsync(Soon, Ct);
        goOn.SetResult();
        Assert.Equal(1, await using1.WaitAsync(Soon, Ct));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Soon, Ct));
        await EngineSessions.ClosedAsync(database, EngineRole.Capture, Ct);
    }

    private static async Task UseManyTimesAsync(SharedConnection shared, int user, ConcurrentBag<Exception> unexpected)
    {
        for (var i = 0; i < 50; i++)
        {
            var fails = (user + i) % 5 == 0;
            try
            {
                await shared.UseAsync(c => c.Statement(fails ? "SELECT 1 / 0" : "SELECT 1").ScalarAsync<int>(Ct), Ct);
            }
            catch (EngineException e) when (fails && e.InnerException is PostgresException { SqlState: PostgresErrorCodes.DivisionByZero })
            { }
            catch (Exception e)
            {
                unexpected.Add(e);
            }
        }
    }

    private static SharedConnection Connect(TestDatabase database) =>
        new(new EngineOptions { ConnectionString = database.ConnectionString }, EngineRole.Capture);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
