using System.Globalization;
using System.Net;
using System.Text.Json;
using Cdc.Api;
using Cdc.Tests.Support.Postgres;
using Cdc.Tests.Support.Processes;
using Xunit;

namespace Cdc.Tests.Integration.Faults;

/// <summary>The real program with its Api, as a monitor asks it.</summary>
internal sealed class Served : IDisposable
{
    /// <summary>What watches a pipeline, and what keeps a shop going without its engine.</summary>
    public static readonly string[] Watching = ["/metrics", "/health/metrics", "/health/live", "/status", "/lag", "/snapshots", "/"];

    /// <summary>As long as Prometheus waits for an answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient _client;

    private Served(WatchedProcess run, Uri address)
    {
        (Run, Address) = (run, address);
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = Patience };
    }

    public WatchedProcess Run { get; }

    public Uri Address { get; }

    /// <summary>Null: none is sent.</summary>
    public string? Key { get; set; }

    /// <summary>Starts <c>cdc run</c>, and waits until it answers.</summary>
    /// <param name="at">Null: at a free port.</param>
    public static async Task<Served> StartAsync(Scene scene, Uri? at = null)
    {
        var address = at ?? new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Next()}"));
        scene.Bed.ApiOptions = new ApiOptions { Urls = address.ToString() };
        var served = new Served(await scene.Bed.StartProcessAsync(ct: Scene.Ct), address);
        await Eventually.True(
            "it answers",
            async () => (await served.TryGetAsync("/health/live")).Status == HttpStatusCode.OK,
            () => Task.FromResult(served.Run.Tail),
            ct: Scene.Ct
        );
        return served;
    }

    public async Task<(HttpStatusCode Status, string Text)> GetAsync(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (Key is not null)
            request.Headers.Authorization = new("Bearer", Key);
        try
        {
            using var answer = await _client.SendAsync(request, Scene.Ct);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Scene.Ct));
        }
        catch (TaskCanceledException e) when (e.InnerException is TimeoutException)
        {
            throw new TimeoutException($"{path} was not answered in {Patience.TotalSeconds:0} s.", e);
        }
    }

    public async Task<JsonElement> JsonAsync(string path) => JsonDocument.Parse((await GetAsync(path)).Text).RootElement;

    /// <summary>The status of a check of /health, with why.</summary>
    public async Task<string> HealthAsync(string check)
    {
        var found = (await JsonAsync("/health"))
            .GetProperty("checks")
            .EnumerateArray()
            .Single(c => c.GetProperty("name").GetString() == check);
        return $"{found.GetProperty("status")} {found.GetProperty("detail")}";
    }

    public Task SaysAsync(string metric) =>
        Eventually.True(
            metric,
            async () => (await GetAsync("/metrics")).Text.Contains($"\n{metric}\n", StringComparison.Ordinal),
            async () => (await GetAsync("/metrics")).Text + Run.Tail,
            ct: Scene.Ct
        );

    /// <summary>Everything that watches answers 200, each in the time that Prometheus has.</summary>
    public async Task AnswersAsync(params string[] also)
    {
        foreach (var path in Watching.Concat(also))
        {
            var (status, text) = await GetAsync(path);
            Assert.True(status == HttpStatusCode.OK, $"{path}: {status} {text}");
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<(HttpStatusCode? Status, string Text)> TryGetAsync(string path)
    {
        try
        {
            return await GetAsync(path);
        }
        catch (HttpRequestException e) when (!Run.HasExited)
        {
            return (null, e.Message);
        }
    }
}
