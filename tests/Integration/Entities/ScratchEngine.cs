using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Cdc.Tests.Integration.Entities;

/// <summary>A database of one test, on the server of CDC_TEST_ENGINE or on one of our own that lives as long as this process.</summary>
internal sealed class ScratchEngine : IAsyncDisposable
{
    private static readonly Lazy<Task<string>> Server = new(StartAsync);

    private readonly string _name;
    private readonly string _admin;

    private ScratchEngine(string name, string admin)
    {
        (_name, _admin) = (name, admin);
        ConnectionString = new NpgsqlConnectionStringBuilder(admin) { Database = name }.ConnectionString;
        DataSource = NpgsqlDataSource.Create(ConnectionString);
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource DataSource { get; }

    public static async Task<ScratchEngine> CreateAsync(string prefix)
    {
        var admin = await Server.Value;
        var engine = new ScratchEngine($"{prefix}_{Guid.NewGuid():N}", admin);
        await using var source = NpgsqlDataSource.Create(admin);
        await using var command = source.CreateCommand($"CREATE DATABASE {engine._name} TEMPLATE template0");
        await command.ExecuteNonQueryAsync();
        return engine;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<List<string>> RowsAsync(string sql)
    {
        await using var connection = await DataSource.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection) { AllResultTypesAreUnknown = true };
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "NULL" : reader.GetString(i))));
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        await DataSource.DisposeAsync();
        await using var source = NpgsqlDataSource.Create(_admin);
        await using var command = source.CreateCommand($"DROP DATABASE {_name} WITH (FORCE)");
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> StartAsync()
    {
        if (Environment.GetEnvironmentVariable("CDC_TEST_ENGINE") is { Length: > 0 } given) return given;
        var folder = Directory.CreateTempSubdirectory("cdc-scratch-").FullName;
        var port = FreePort();
        await RunAsync($"chmod 777 {folder}", asPostgres: false);
        await RunAsync($"initdb -D {folder}/data -A trust -U postgres -E UTF8 --locale=C.UTF-8 -N");
        await RunAsync($"pg_ctl -D {folder}/data -w -l {folder}/log -o '-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off' start");
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            RunAsync($"pg_ctl -D {folder}/data -m immediate stop").Wait();
            Directory.Delete(folder, recursive: true);
        };
        return $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;Pooling=false";
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static async Task RunAsync(string command, bool asPostgres = true)
    {
        var shell = $"PATH=/usr/lib/postgresql/15/bin:$PATH; {command}";
        var start = asPostgres && Environment.UserName == "root"
            ? new ProcessStartInfo("runuser", ["-u", "postgres", "--", "sh", "-c", shell])
            : new ProcessStartInfo("sh", ["-c", shell]);
        (start.RedirectStandardOutput, start.WorkingDirectory) = (true, "/tmp");
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"'{command}' ended with {process.ExitCode}.");
    }
}
