using Cdc.Tests.Integration.Pipeline.Matrix;
using Cdc.Tests.Support.Kafka;
using Cdc.Tests.Support.Processes;

namespace Cdc.Tests.Integration.Kafka;

/// <summary>Keeps a real <c>cdc capture</c> and some <c>cdc apply</c> running over a broker, and kills any of them.</summary>
/// <param name="disturbBroker">What happens to the broker; when it ends the broker is there again.</param>
/// <param name="membersComeAndGo">False: one <c>cdc apply</c>, and capture is killed in its place. Groups of the mock cluster end the process when they do.</param>
/// <param name="moves">Changes of the tables, each mended later; null: none.</param>
internal sealed class KafkaDisturbances(
    KafkaPipelineBed bed,
    Func<Task> disturbBroker,
    bool membersComeAndGo,
    TableMoves? moves,
    Random random
)
{
    private WatchedProcess? _capture;
    private readonly WatchedProcess?[] _apply = new WatchedProcess?[membersComeAndGo ? 2 : 1];

    /// <summary>How often each was done.</summary>
    public Dictionary<string, int> Done { get; } = [];

    public async Task StartAsync(CancellationToken ct)
    {
        _capture = await bed.StartProcessAsync("capture", null, ct);
        for (var i = 0; i < _apply.Length; i++)
            _apply[i] = await bed.StartProcessAsync("apply", null, ct);
    }

    public Task NextAsync(CancellationToken ct) => moves is not null && random.Next(3) == 0 ? MoveAsync(moves) : DisturbAsync(ct);

    /// <summary>Throws what one of them said last, if it has ended by itself.</summary>
    public void ThrowIfEnded()
    {
        foreach (var process in (WatchedProcess?[])[_capture, .. _apply])
            if (process is { HasExited: true })
                throw new InvalidOperationException($"It ended with exit code {process.ExitCode}: {process.Tail}");
    }

    public string Describe() =>
        string.Join(", ", Done.Select(d => $"{d.Key} {d.Value}"))
        + string.Concat(((WatchedProcess?[])[_capture, .. _apply]).Select(p => Environment.NewLine + p?.Tail));

    private Task DisturbAsync(CancellationToken ct) =>
        random.Next(100) switch
        {
            var share when share < (membersComeAndGo ? 30 : 60) => DoAsync(
                "capture killed",
                async () => _capture = await KillAsync(_capture!, "capture", ct)
            ),
            < 60 => DoAsync("apply killed", () => KillWorkerAsync(random.Next(_apply.Length), ct)),
            < 75 => DoAsync("broker disturbed", disturbBroker),
            < 90 => DoAsync(
                "snapshot",
                () =>
                    bed.Bed.Engine.ExecuteAsync(
                        $"INSERT INTO cdc.requests (kind, entity) VALUES ('snapshot', '{bed.Bed.Entities.All[random.Next(bed.Bed.Entities.Count)].Name}')",
                        ct
                    )
            ),
            _ => DoAsync("retry", () => bed.Bed.Engine.ExecuteAsync("UPDATE cdc.quarantine SET retry_requested = true", ct)),
        };

    private async Task MoveAsync(TableMoves tables)
    {
        var done = await tables.NextAsync();
        Done[done] = Done.GetValueOrDefault(done) + 1;
    }

    private async Task KillWorkerAsync(int worker, CancellationToken ct) => _apply[worker] = await KillAsync(_apply[worker]!, "apply", ct);

    private async Task DoAsync(string what, Func<Task> act)
    {
        Done[what] = Done.GetValueOrDefault(what) + 1;
        await act();
    }

    private async Task<WatchedProcess> KillAsync(WatchedProcess process, string command, CancellationToken ct)
    {
        await process.StopAsync(Signal.Kill, ct);
        return await bed.StartProcessAsync(command, null, ct);
    }
}
