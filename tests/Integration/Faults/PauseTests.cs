using System.Net;
using Cdc.Engine.Tables;
using Cdc.Tests.Integration.OnCall;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>Beside Odoo's database manager: ops/runbooks/database-manager.md, carried out as it is written.</summary>
public sealed class PauseTests(TestServers servers, TestKafka kafka)
{
    private const string Sessions =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^cdc( |$)'";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Let_go_of_Odoos_database_can_be_copied_and_renamed_and_is_taken_up_again_where_it_was()
    {
        await using var scene = await Scene.CreateAsync(servers);
        scene.Bed.ContinuousOptions = new() { Interval = TimeSpan.FromSeconds(1) };
        using var served = await FollowingAsync(scene);
        await using var manager = new DatabaseManager(scene.Source);
        Assert.Equal(PostgresErrorCodes.ObjectInUse, await manager.TryAsync($"CREATE DATABASE {manager.Copy} TEMPLATE {manager.Original}"));
        Assert.Equal(
            PostgresErrorCodes.ObjectInUse,
            await manager.TryAsync($"ALTER DATABASE {manager.Original} RENAME TO {manager.Other}")
        );

        var runbook = await Runbook.OpenAsync("ops/runbooks/database-manager.md", Ct);
        await RunAsync(scene, runbook, "Let go");
        await scene.ChangeAsync();
        // Whoever asks what, nobody enters.
        await served.AnswersAsync("/cards/card%202/balance");
        Assert.StartsWith("degraded Odoo's database is let go of until", await served.HealthAsync("state"), StringComparison.Ordinal);
        Assert.StartsWith("healthy", await served.HealthAsync("source"), StringComparison.Ordinal);
        Assert.Contains("cdc_state{state=\"paused\"} 1", (await served.GetAsync("/metrics")).Text, StringComparison.Ordinal);
        Assert.Contains("paused", await scene.CommandAsync(0, "status"), StringComparison.Ordinal);
        Assert.Contains("is let go of", await scene.CommandAsync(7, "reconcile", "--full"), StringComparison.Ordinal);
        Assert.Null(await manager.TryAsync($"CREATE DATABASE {manager.Copy} TEMPLATE {manager.Original}"));
        Assert.Null(await manager.TryAsync($"ALTER DATABASE {manager.Original} RENAME TO {manager.Other}"));
        Assert.Null(await manager.TryAsync($"ALTER DATABASE {manager.Other} RENAME TO {manager.Original}"));

        await RunAsync(scene, runbook, "Take it up again");
        await scene.CaughtUpAsync(served.Run);
        Assert.StartsWith("healthy", await served.HealthAsync("state"), StringComparison.Ordinal);
        Assert.Equal(1, await scene.Engine.ScalarAsync<int>("SELECT generation FROM cdc.source", Ct));
        Assert.Contains("Odoo's database is let go of until", served.Run.Tail, StringComparison.Ordinal);
        Assert.Contains("The pipeline works again", served.Run.Tail, StringComparison.Ordinal);
        await scene.EndsEqualAsync(served.Run);
    }

    [Fact]
    public async Task When_the_time_is_over_it_is_taken_up_again_by_itself()
    {
        await using var scene = await Scene.CreateAsync(servers);
        using var served = await FollowingAsync(scene);
        Assert.Contains("no session of cdc", await scene.CommandAsync(0, "pause", "--release", "--for", "3s"), StringComparison.Ordinal);
        await scene.ChangeAsync();
        await scene.EndsEqualAsync(served.Run);
    }

    [Fact]
    public async Task A_renamed_database_is_followed_and_a_copy_under_its_old_name_is_a_gap()
    {
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        await using var manager = new DatabaseManager(scene.Source);
        var runbook = await Runbook.OpenAsync("ops/runbooks/database-manager.md", Ct);
        await scene.CommandAsync(0, "pause", "--release");
        var old = scene.Bed.SourceOptions;
        Assert.Null(await manager.TryAsync($"ALTER DATABASE {manager.Original} RENAME TO {manager.Other}"));
        try
        {
            scene.Bed.SourceOptions = old with { ConnectionString = manager.Of(manager.Other) };
            Assert.Contains("Continuous", await RunAsync(scene, runbook, "After a rename"), StringComparison.Ordinal);
            await using (var renamed = NpgsqlDataSource.Create(manager.Of(manager.Other) + ";Pooling=false"))
            {
                var run = await scene.Bed.StartProcessAsync(ct: Ct);
                await EngineProgress.CatchUpAsync(renamed, scene.Engine.DataSource, Ct);
                Assert.Equal(0, await run.StopAsync(Signal.Terminate, Ct));
            }
            Assert.Equal(
                [$"1|streaming|{manager.Other}"],
                await scene.Engine.RowsAsync("SELECT generation, state, database_name FROM cdc.source", Ct)
            );

            scene.ForgetConnections();
            Assert.Null(await manager.TryAsync($"CREATE DATABASE {manager.Original} TEMPLATE {manager.Other}"));
            scene.Bed.SourceOptions = old;
            await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Ct), "source-changed");
            await RunAsync(scene, runbook, "After Drop, Restore, or a copy under the same name");
            await scene.ChangeAsync();
            await scene.EndsEqualAsync(await scene.Bed.StartProcessAsync(ct: Ct));
        }
        finally
        {
            await manager.DropAsync(manager.Other);
        }
    }

    [Fact]
    public async Task Another_database_uuid_is_a_gap_and_adopted_it_goes_on_without_reading_again()
    {
        const string Uuid = "UPDATE ir_config_parameter SET value = '{0}' WHERE key = 'database.uuid'";
        await using var scene = await Scene.CreateAsync(servers);
        await scene.FollowAsync();
        // It becomes known, also where it was not before, and what may not be read any more is no other one.
        await scene.Source.ExecuteAsync(
            "CREATE TABLE ir_config_parameter (id serial PRIMARY KEY, key varchar UNIQUE, value text); INSERT INTO ir_config_parameter (key, value) VALUES ('database.uuid', 'first'), ('database.secret', 'x')",
            Ct
        );
        await scene.FollowAsync();
        await scene.Source.ExecuteAsync("ALTER TABLE ir_config_parameter RENAME TO hidden", Ct);
        await scene.FollowAsync();
        await scene.Source.ExecuteAsync("ALTER TABLE hidden RENAME TO ir_config_parameter", Ct);
        await scene.Source.ExecuteAsync(string.Format(null, Uuid, "second"), Ct);
        await scene.StopsWithGapAsync(await scene.Bed.StartProcessAsync(ct: Ct), "source-changed");
        var shown = await scene.CommandAsync(5, "slot", "show");
        Assert.Contains("database.uuid", shown, StringComparison.Ordinal);
        Assert.Contains("cdc slot adopt", shown, StringComparison.Ordinal);
        Assert.Contains("was first and is second now", await scene.CommandAsync(0, "slot", "adopt", "--yes"), StringComparison.Ordinal);
        await scene.ChangeAsync();
        await scene.FollowAsync();
        Assert.Equal(["1|second"], await scene.Engine.RowsAsync("SELECT generation, database_uuid FROM cdc.source", Ct));
        await scene.Bed.AssertEqualAsync(Ct);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Over_either_log_no_session_is_left_and_nothing_is_missed(bool overKafka)
    {
        await using var bed = await EitherLogBed.CreateAsync(servers, kafka, overKafka, Ct);
        await bed.Bed.Source.ExecuteAsync("INSERT INTO loyalty_program (id, name) VALUES (1, 'one')", Ct);
        bed.Start();
        await bed.Bed.CaughtUpAsync(Ct);
        var source = new SourceTable(bed.Bed.EngineOptions);
        Assert.NotNull(await source.PauseAsync(TimeSpan.FromHours(1), "a test", Ct));
        await SessionsAreAsync(none: true);
        await bed.Bed.Source.ExecuteAsync("INSERT INTO loyalty_program (id, name) VALUES (2, 'two')", Ct);
        Assert.True(await source.ResumeAsync(Ct));
        Assert.False(await source.ResumeAsync(Ct));
        await bed.Bed.CaughtUpAsync(Ct);
        await bed.Bed.AssertEqualAsync(Ct);
        await bed.StopAsync();

        Task SessionsAreAsync(bool none) =>
            Eventually.True("sessions have ended", async () => await bed.Bed.Source.ScalarAsync<long>(Sessions, Ct) == 0 == none, ct: Ct);
    }

    [Fact]
    public async Task What_cannot_be_let_go_of_is_said()
    {
        await using var scene = await Scene.CreateAsync(servers);
        Assert.Contains("cdc pause --release", await scene.CommandAsync(2, "pause"), StringComparison.Ordinal);
        Assert.Contains(
            "--for 25h is no time",
            await scene.CommandAsync(2, "pause", "--release", "--for", "25h"),
            StringComparison.Ordinal
        );
        Assert.Contains("follows no source yet", await scene.CommandAsync(9, "pause", "--release"), StringComparison.Ordinal);
        Assert.Contains("nothing to do", await scene.CommandAsync(0, "resume"), StringComparison.Ordinal);
    }

    private static async Task<Served> FollowingAsync(Scene scene)
    {
        var served = await Served.StartAsync(scene);
        await scene.CaughtUpAsync(served.Run);
        return served;
    }

    /// <summary>The commands of one section.</summary>
    private static async Task<string> RunAsync(Scene scene, Runbook runbook, string section)
    {
        using var shell = new RunbookShell();
        var output = "";
        foreach (var block in runbook.Blocks.Where(b => b.Section == section))
        {
            // The service is this test's.
            var script = block.Text.Replace("systemctl restart cdc", "true", StringComparison.Ordinal);
            var (code, said) = await shell.RunAsync(script, scene.Bed.Environment(), Ct);
            Assert.True(code == 0, $"'{script}' ended with exit code {code}: {said}");
            output += said;
        }
        Assert.NotEmpty(output);
        return output;
    }

    /// <summary>As Odoo's does it, with another database's connection, and without ending others' sessions.</summary>
    private sealed class DatabaseManager(TestDatabase odoo) : IAsyncDisposable
    {
        private readonly NpgsqlDataSource _admin = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(odoo.ConnectionString) { Database = "postgres", Pooling = false }.ConnectionString
        );

        public string Original => odoo.Name;
        public string Copy => odoo.Name + "_copy";
        public string Other => odoo.Name + "_other";

        public string Of(string database) =>
            new NpgsqlConnectionStringBuilder(odoo.ConnectionString) { Database = database }.ConnectionString;

        /// <returns>Null, or the SQLSTATE with which it was refused.</returns>
        public async Task<string?> TryAsync(string sql)
        {
            // The test's own.
            odoo.DataSource.Clear();
            try
            {
                await using var command = _admin.CreateCommand(sql);
                await command.ExecuteNonQueryAsync(Ct);
                return null;
            }
            catch (PostgresException refused)
            {
                return refused.SqlState;
            }
        }

        public async Task DropAsync(string database) => await TryAsync($"DROP DATABASE IF EXISTS {database} WITH (FORCE)");

        public async ValueTask DisposeAsync()
        {
            await DropAsync(Copy);
            await _admin.DisposeAsync();
        }
    }
}
