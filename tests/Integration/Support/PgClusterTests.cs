using System.Diagnostics;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Support;

public sealed class PgClusterTests
{
    private static readonly PgClusterOptions Small = new() { Name = "own", SharedBuffers = "16MB" };
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_server_starts_again_on_its_port_with_what_was_committed()
    {
        await using var cluster = await PgCluster.StartAsync(Small, Ct);
        var port = cluster.Port;
        await Execute(cluster, "CREATE TABLE t (id int); INSERT INTO t VALUES (1)");

        await cluster.KillAsync(Ct);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => Scalar(cluster, "SELECT count(*) FROM t"));
        await cluster.StartAgainAsync(Ct);

        Assert.Equal(port, cluster.Port);
        Assert.Equal(1L, await Scalar(cluster, "SELECT count(*) FROM t"));
    }

    [Theory]
    [InlineData(PgStopMode.Fast)]
    [InlineData(PgStopMode.Immediate)]
    public async Task A_stopped_server_takes_new_settings_at_its_next_start(PgStopMode mode)
    {
        await using var cluster = await PgCluster.StartAsync(Small, Ct);
        await cluster.StopAsync(mode, Ct);
        await cluster.ConfigureAsync(new Dictionary<string, string> { ["work_mem"] = "'7MB'" }, Ct);
        await cluster.StartAgainAsync(Ct);
        Assert.Equal("7MB", await Scalar(cluster, "SHOW work_mem"));
    }

    [Fact]
    public async Task It_is_ready_for_logical_replication_and_takes_extra_settings()
    {
        await using var cluster = await PgCluster.StartAsync(
            Small with
            {
                Settings = new Dictionary<string, string> { ["max_replication_slots"] = "3" },
            },
            Ct
        );
        Assert.Equal("logical", await Scalar(cluster, "SHOW wal_level"));
        Assert.Equal("off", await Scalar(cluster, "SHOW fsync"));
        Assert.Equal("3", await Scalar(cluster, "SHOW max_replication_slots"));
        Assert.Equal(
            "UTF8|C.UTF-8",
            await Scalar(cluster, "SELECT pg_encoding_to_char(encoding) || '|' || datcollate FROM pg_database WHERE datname = 'postgres'")
        );
    }

    [Fact]
    public async Task It_lives_in_a_folder_with_blanks_and_leaves_nothing_behind()
    {
        // Not CreateTempSubdirectory: the server's user must be able to look into it.
        var parent = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"cdc with blanks {Guid.NewGuid():N}")).FullName;
        try
        {
            await using (var cluster = await PgCluster.StartAsync(Small with { ParentFolder = parent }, Ct))
                Assert.Equal(1, await Scalar(cluster, "SELECT 1"));
            Assert.Empty(Directory.GetFileSystemEntries(parent));
        }
        finally
        {
            Directory.Delete(parent, recursive: true);
        }
    }

    [Fact]
    public async Task A_watched_process_and_its_scratch_folder_die_with_a_parent_that_is_killed()
    {
        // This shell stands for a test run: it holds the only end of the pipe that the watchdog listens on.
        var scratch = Directory.CreateTempSubdirectory("cdc-orphan-").FullName;
        using var parent = Process.Start(
            new ProcessStartInfo(
                "/bin/sh",
                [
                    "-c",
                    "mkfifo \"$1/pipe\"; setsid /bin/sh -c \"$2\" watchdog 15 \"$1\" sleep 600 <\"$1/pipe\" & exec 9>\"$1/pipe\"; wait",
                    "sh",
                    scratch,
                    Watchdog.Script,
                ]
            )
            {
                RedirectStandardOutput = true,
            }
        )!;
        var first = await parent.StandardOutput.ReadLineAsync(Ct);
        var child = int.Parse(Assert.IsType<string>(first)["pid ".Length..], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(ProcessTree.IsAlive(child));

        parent.Kill();

        await Eventually.True("the orphan has ended", () => !ProcessTree.IsAlive(child), ct: Ct);
        await Eventually.True("its scratch folder is gone", () => !Directory.Exists(scratch), ct: Ct);
    }

    private static async Task Execute(PgCluster cluster, string sql)
    {
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString("postgres"));
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<object?> Scalar(PgCluster cluster, string sql)
    {
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString("postgres"));
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
