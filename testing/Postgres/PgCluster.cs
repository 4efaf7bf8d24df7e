using System.Globalization;
using Cdc.Testing.Processes;
using Cdc.Testing.Waiting;
using Npgsql;

namespace Cdc.Testing.Postgres;

public enum PgStopMode
{
    /// <summary>Clients are disconnected, a checkpoint is written.</summary>
    Fast,

    /// <summary>As in a crash, but the server knows: recovery at the next start.</summary>
    Immediate,
}

/// <summary>
/// A PostgreSQL server of our own: temporary folder, free port on 127.0.0.1, logical WAL, no passwords. It dies with this process and
/// its folder goes with it. Ready for logical replication on both sides.
/// </summary>
public sealed class PgCluster : IAsyncDisposable
{
    private const int PortAttempts = 5;
    private readonly PgClusterOptions _options;
    private readonly PgFolder _folder;
    private readonly string _binaries;
    private WatchedProcess? _postmaster;

    private PgCluster(PgClusterOptions options, PgFolder folder, string binaries)
    {
        (_options, _folder, _binaries) = (options, folder, binaries);
    }

    public int Port { get; private set; }

    public string DataDirectory => _folder.Data;

    /// <summary>Folder of initdb, postgres, pg_recvlogical and the like.</summary>
    public string Binaries => _binaries;

    public bool IsRunning => _postmaster is { HasExited: false };

    /// <summary>The postmaster's process id.</summary>
    public int Pid => Running.Pid;

    private WatchedProcess Running => _postmaster ?? throw new InvalidOperationException($"The cluster {_options.Name} is not started.");

    /// <exception cref="MissingPrerequisiteException">No server programs on this machine: a skip, with CI set a failure.</exception>
    public static async Task<PgCluster> StartAsync(PgClusterOptions options, CancellationToken ct)
    {
        var binaries = options.Binaries ?? (options.Version is { } version ? PgBinaries.OfVersion(version) : PgBinaries.Find());
        var cluster = new PgCluster(options, await PgFolder.CreateAsync(options, ct), binaries);
        try
        {
            await cluster.InitializeAsync(ct);
            await cluster.StartOnFreePortAsync(ct);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A hot standby that streams from this server, with all of its databases.</summary>
    public async Task<PgCluster> StartStandbyAsync(IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        var options = _options with { Name = _options.Name + "_standby", Settings = settings };
        var standby = new PgCluster(options, await PgFolder.CreateAsync(options, ct), _binaries);
        try
        {
            await new PgBaseBackup(ConnectionString("postgres")).CopyAsync(DataDirectory, standby.DataDirectory, ct);
            await File.AppendAllTextAsync(
                Path.Combine(standby.DataDirectory, "postgresql.conf"),
                PgConfiguration.Text(options, standby._folder.Path),
                ct
            );
            await standby.StartOnFreePortAsync(ct);
            return standby;
        }
        catch
        {
            await standby.DisposeAsync();
            throw;
        }
    }

    public string ConnectionString(string database, string user = "postgres") =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Database = database,
            Username = user,
        }.ConnectionString;

    public async Task StopAsync(PgStopMode mode = PgStopMode.Fast, CancellationToken ct = default)
    {
        await Running.StopAsync(mode == PgStopMode.Fast ? Signal.Interrupt : Signal.Quit, ct);
        ForgetConnections();
    }

    /// <summary>
    /// kill -9 of the postmaster and all its processes. Returns when none of them lives: their shared memory is free, so that the server
    /// can start again.
    /// </summary>
    public async Task KillAsync(CancellationToken ct = default)
    {
        var postmaster = Running;
        // Stopped first, or it may fork after its children were listed.
        postmaster.Send(Signal.Stop);
        var children = ProcessTree.ChildrenOf(postmaster.Pid);
        foreach (var child in children)
            SignalSender.Send(child, Signal.Kill);
        await postmaster.StopAsync(Signal.Kill, ct);
        await Eventually.True(
            $"all processes of the killed server on port {Port} are gone",
            () => !children.Any(ProcessTree.IsAlive),
            () => "alive: " + string.Join(' ', children.Where(ProcessTree.IsAlive)),
            ct: ct
        );
        ForgetConnections();
    }

    /// <summary>After a stop or a kill, on the same port and data.</summary>
    public async Task StartAgainAsync(CancellationToken ct = default)
    {
        if (IsRunning)
            throw new InvalidOperationException($"The cluster {_options.Name} runs already.");
        if (!await TryStartAsync(ct))
            throw StartFailed();
    }

    /// <summary>
    /// Adds settings to postgresql.conf; they act at the next start or, where the setting allows it, after pg_reload_conf().
    /// </summary>
    public Task ConfigureAsync(IReadOnlyDictionary<string, string> settings, CancellationToken ct = default) =>
        File.AppendAllLinesAsync(Path.Combine(DataDirectory, "postgresql.conf"), settings.Select(s => $"{s.Key} = {s.Value}"), ct);

    /// <summary>The last lines of the server's log.</summary>
    public string LogTail() => _folder.LogTail();

    public async ValueTask DisposeAsync()
    {
        if (_postmaster is { } postmaster)
        {
            if (!postmaster.HasExited)
                await StopAsync(PgStopMode.Immediate);
            await postmaster.DisposeAsync();
        }
        _folder.Delete();
    }

    private async Task InitializeAsync(CancellationToken ct)
    {
        await Tool.RunAsync(
            PgFolder.AsOwner(
                Path.Combine(_binaries, "initdb"),
                "--pgdata",
                _folder.Data,
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "--no-instructions"
            ),
            ct
        );
        await File.AppendAllTextAsync(Path.Combine(_folder.Data, "postgresql.conf"), PgConfiguration.Text(_options, _folder.Path), ct);
    }

    private async Task StartOnFreePortAsync(CancellationToken ct)
    {
        for (var attempt = 0; attempt < PortAttempts; attempt++)
        {
            Port = FreePort.Next();
            if (await TryStartAsync(ct))
                return;
        }
        throw StartFailed();
    }

    /// <summary>False if the server ended at once, as it does when its port was taken in between.</summary>
    private async Task<bool> TryStartAsync(CancellationToken ct)
    {
        if (_postmaster is not null)
            await _postmaster.DisposeAsync();
        _postmaster = await WatchedProcess.StartAsync(ServerCommand(), ct);
        await Eventually.True(
            $"the server on port {Port} answers",
            async () => _postmaster.HasExited || await AnswersAsync(ct),
            () => Task.FromResult(LogTail()),
            _options.StartTimeout,
            ct
        );
        return !_postmaster.HasExited;
    }

    private WatchedCommand ServerCommand()
    {
        // Into a file, not through a pipe to us: a server must not wait for a test that is slow to read its log.
        var command = PgFolder.AsOwner(
            "/bin/sh",
            "-c",
            """log=$1; shift; exec "$@" >>"$log" 2>&1""",
            "sh",
            _folder.Log,
            Path.Combine(_binaries, "postgres"),
            "-D",
            _folder.Data,
            "-p",
            Port.ToString(CultureInfo.InvariantCulture)
        );
        return new WatchedCommand(command[0], command[1..])
        {
            OrphanSignal = Signal.Quit,
            OrphanScratch = _folder.Path,
            WorkingDirectory = _folder.Path,
        };
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        var text = new NpgsqlConnectionStringBuilder(ConnectionString("postgres")) { Pooling = false, Timeout = 5 }.ConnectionString;
        try
        {
            await using var connection = new NpgsqlConnection(text);
            await connection.OpenAsync(ct);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return false;
        }
    }

    // Pooled connections to a server that is gone would make the next test's first command fail.
    private static void ForgetConnections() => NpgsqlConnection.ClearAllPools();

    private InvalidOperationException StartFailed() =>
        new($"PostgreSQL in {_folder.Data} did not start. Its log ends with:{Environment.NewLine}{LogTail()}");
}
