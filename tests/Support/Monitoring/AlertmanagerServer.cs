using System.Globalization;
using System.Text.Json;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;

namespace Cdc.Tests.Support.Monitoring;

/// <summary>A real Alertmanager on 127.0.0.1.</summary>
public sealed class AlertmanagerServer : IAsyncDisposable
{
    private readonly WatchedProcess _process;
    private readonly HttpClient _client;
    private readonly string _folder;

    private AlertmanagerServer(WatchedProcess process, int port, string folder)
    {
        (_process, _folder) = (process, folder);
        Address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri($"http://{Address}") };
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>What it says of itself.</summary>
    public string Tail => _process.Tail;

    /// <param name="configuration">Path of its configuration.</param>
    public static async Task<AlertmanagerServer> StartAsync(string configuration, CancellationToken ct)
    {
        var program = PrometheusTools.Alertmanager;
        var folder = Directory.CreateTempSubdirectory("cdc-alertmanager-").FullName;
        var port = FreePort.Next();
        var process = await WatchedProcess.StartAsync(
            new WatchedCommand(
                program,
                $"--config.file={configuration}",
                $"--storage.path={folder}",
                string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
                "--cluster.listen-address=",
                "--log.level=warn"
            )
            {
                OrphanScratch = folder,
            },
            ct
        );
        return new AlertmanagerServer(process, port, folder);
    }

    /// <summary>Names of the alerts of this severity that are sent, because no other one explains them; null while it does not answer
    /// yet.</summary>
    public async Task<IReadOnlyList<string>?> SentAsync(string severity, CancellationToken ct)
    {
        try
        {
            using var answer = JsonDocument.Parse(
                await _client.GetStringAsync(
                    new Uri(
                        $"/api/v2/alerts?active=true&inhibited=false&silenced=false&filter=severity%3D%22{severity}%22",
                        UriKind.Relative
                    ),
                    ct
                )
            );
            return
            [
                .. answer
                    .RootElement.EnumerateArray()
                    .Select(a => a.GetProperty("labels").GetProperty("alertname").GetString()!)
                    .Distinct()
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (HttpRequestException) when (!_process.HasExited)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
