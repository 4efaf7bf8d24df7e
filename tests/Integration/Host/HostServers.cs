using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Xunit;

namespace Cdc.Tests.Integration.Host;

[CollectionDefinition(Name)]
public sealed class HostServersCollection : ICollectionFixture<HostServers>
{
    public const string Name = "host servers";
}

/// <summary>A source and an engine server: those of CDC_TEST_SOURCE and CDC_TEST_ENGINE, or one cluster of our own that serves as both.</summary>
public sealed class HostServers : IAsyncLifetime
{
    private const string Binaries = "/usr/lib/postgresql/15/bin";
    private string? _folder;

    public string Source { get; private set; } = Environment.GetEnvironmentVariable("CDC_TEST_SOURCE") ?? "";
    public string Engine { get; private set; } = Environment.GetEnvironmentVariable("CDC_TEST_ENGINE") ?? "";

    public async ValueTask InitializeAsync()
    {
        if (Source.Length > 0 && Engine.Length > 0) return;
        _folder = Directory.CreateTempSubdirectory("cdc-host-").FullName;
        var port = FreePort();
        if (Environment.UserName == "root") await RunAsync("chown", "postgres", _folder);
        var data = Path.Combine(_folder, "data");
        await AsOwnerAsync("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync");
        await AsOwnerAsync("pg_ctl", "-D", data, "-w", "-l", Path.Combine(_folder, "log"),
            "-o", $"-p {port} -k {_folder} -h 127.0.0.1 -c wal_level=logical -c fsync=off -c max_replication_slots=40", "start");
        Source = Engine = $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres";
    }

    public async ValueTask DisposeAsync()
    {
        if (_folder is null) return;
        NpgsqlConnection.ClearAllPools();
        await AsOwnerAsync("pg_ctl", "-D", Path.Combine(_folder, "data"), "-m", "immediate", "-w", "stop");
        Directory.Delete(_folder, recursive: true);
    }

    private static Task AsOwnerAsync(string program, params string[] args) => Environment.UserName == "root"
        ? RunAsync("runuser", ["-u", "postgres", "--", $"{Binaries}/{program}", .. args])
        : RunAsync($"{Binaries}/{program}", args);

    private static async Task RunAsync(string program, params string[] args)
    {
        // pg_ctl's server inherits our pipes and would keep them open: its output is not read, its log is.
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null 2>&1", "sh", program, .. args]) { WorkingDirectory = "/" })!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', args)} exited with {process.ExitCode}.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
