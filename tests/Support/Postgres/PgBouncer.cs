using System.Globalization;
using Npgsql;

namespace Cdc.Tests.Support.Postgres;

/// <summary>A real PgBouncer before a server on this machine, for one test.</summary>
public sealed class PgBouncer : IAsyncDisposable
{
    private const string Installed = "/usr/sbin/pgbouncer";

    private readonly WatchedProcess _process;
    private readonly string _folder;
    private readonly int _port;

    private PgBouncer(WatchedProcess process, string folder, int port) => (_process, _folder, _port) = (process, folder, port);

    /// <param name="server">Connection string of the server; everybody becomes its user there.</param>
    /// <param name="settings">Lines of pgbouncer.ini, such as <c>pool_mode = transaction</c>.</param>
    /// <exception cref="MissingPrerequisiteException">There is none: a skip, with CI set a failure.</exception>
    public static async Task<PgBouncer> StartAsync(string server, CancellationToken ct, params IEnumerable<string> settings)
    {
        var program = Environment.GetEnvironmentVariable("CDC_PGBOUNCER") ?? Installed;
        if (!File.Exists(program))
            throw new MissingPrerequisiteException("There is no pgbouncer: install Debian's package, or name its path in CDC_PGBOUNCER.");
        var (folder, port) = (Directory.CreateTempSubdirectory("cdc-pgbouncer-").FullName, FreePort.Next());
        var file = Path.Combine(folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(file, Configuration(new NpgsqlConnectionStringBuilder(server), port, settings), ct);
        // It refuses to run as root, and its user has to read the file.
        await Tool.RunAsync(["chmod", "755", folder], ct);
        var command = PgFolder.AsOwner(program, "-q", file);
        var started = new PgBouncer(
            await WatchedProcess.StartAsync(new WatchedCommand(command[0], command[1..]) { OrphanScratch = folder }, ct),
            folder,
            port
        );
        await Eventually.True(
            "pgbouncer answers",
            () => started.AnswersAsync(server, ct),
            () => Task.FromResult(started._process.Tail),
            ct: ct
        );
        return started;
    }

    /// <summary>The same server and database, by way of the pooler.</summary>
    public string Through(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = _port,
            Pooling = false,
        }.ConnectionString;

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Configuration(NpgsqlConnectionStringBuilder server, int port, IEnumerable<string> settings) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"""
            [databases]
            * = host={server.Host} port={server.Port} user={server.Username}{(
                server.Password is null ? "" : $" password={server.Password}"
            )}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            {string.Join('\n', settings)}

            """
        );

    private async Task<bool> AnswersAsync(string server, CancellationToken ct)
    {
        if (_process.HasExited)
            throw new InvalidOperationException($"pgbouncer ended: {_process.Tail}");
        try
        {
            await using var connection = new NpgsqlConnection(Through(server));
            await connection.OpenAsync(ct);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }
}
