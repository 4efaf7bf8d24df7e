using System.Globalization;
using System.Text.Json;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;

namespace Cdc.Tests.Support.Monitoring;

/// <summary>A real Prometheus on 127.0.0.1.</summary>
public sealed class PrometheusServer : IAsyncDisposable
{
    private readonly WatchedProcess _process;
    private readonly HttpClient _client;
    private readonly string _folder;

    private PrometheusServer(WatchedProcess process, int port, string folder)
    {
        (_process, _folder) = (process, folder);
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")),
        };
    }

    /// <summary>What it says of itself.</summary>
    public string Tail => _process.Tail;

    /// <param name="configuration">Text of its configuration.</param>
    /// <param name="rules">Text of the file cdc.rules.yml that it names.</param>
    public static async Task<PrometheusServer> StartAsync(string configuration, string rules, CancellationToken ct)
    {
        var program = PrometheusTools.Prometheus;
        var folder = Directory.CreateTempSubdirectory("cdc-prometheus-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "cdc.rules.yml"), rules, ct);
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), configuration, ct);
        var port = FreePort.Next();
        var process = await WatchedProcess.StartAsync(
            new WatchedCommand(
                program,
                $"--config.file={folder}/prometheus.yml",
                $"--storage.tsdb.path={folder}/data",
                string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
                "--log.level=warn"
            )
            {
                OrphanScratch = folder,
            },
            ct
        );
        return new PrometheusServer(process, port, folder);
    }

    /// <summary>Whether a query finds anything now; false while it does not answer yet.</summary>
    public async Task<bool> FindsAsync(string query, CancellationToken ct)
    {
        try
        {
            using var answer = JsonDocument.Parse(
                await _client.GetStringAsync(new Uri($"/api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative), ct)
            );
            return answer.RootElement.GetProperty("data").GetProperty("result").GetArrayLength() > 0;
        }
        catch (HttpRequestException) when (!_process.HasExited)
        {
            return false;
        }
    }

    /// <summary>Names of the alerts that fire; null while it does not answer yet.</summary>
    public async Task<IReadOnlyList<string>?> FiringAsync(CancellationToken ct)
    {
        try
        {
            using var answer = JsonDocument.Parse(await _client.GetStringAsync(new Uri("/api/v1/alerts", UriKind.Relative), ct));
            return
            [
                .. answer
                    .RootElement.GetProperty("data")
                    .GetProperty("alerts")
                    .EnumerateArray()
                    .Where(a => a.GetProperty("state").GetString() == "firing")
                    .Select(a => a.GetProperty("labels").GetProperty("alertname").GetString()!)
                    .Distinct(),
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
