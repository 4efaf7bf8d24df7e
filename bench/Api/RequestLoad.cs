using System.Diagnostics;
using Cdc.Bench.Measure;

namespace Cdc.Bench.Api;

/// <summary>Balances of cards taken at random, over a fixed number of connections.</summary>
internal sealed class RequestLoad(Uri server, IReadOnlyList<string> codes)
{
    private const int Connections = 32;

    /// <summary>
    /// At a fixed rate. An open loop: latency counts from when a request was due, so one that waits behind a slow one is late, and not
    /// missing.
    /// </summary>
    /// <returns>Milliseconds of each request, in the order in which they were due, and how many were answered with anything but
    /// 200.</returns>
    public async Task<(double[] Latencies, int Errors)> AtRateAsync(double rate, TimeSpan duration, CancellationToken ct)
    {
        var latencies = new double[(int)(rate * duration.TotalSeconds)];
        var errors = 0;
        var start = Stopwatch.GetTimestamp() + Stopwatch.Frequency / 5;
        await OnEachAsync(
            (connection, place) =>
            {
                var random = new Random(place);
                for (var i = place; i < latencies.Length; i += Connections)
                {
                    ct.ThrowIfCancellationRequested();
                    var (request, due) = (Request(random), start + (long)(i / rate * Stopwatch.Frequency));
                    Nap.Until(due);
                    if (connection.Ask(request) != 200)
                        Interlocked.Increment(ref errors);
                    latencies[i] = (Stopwatch.GetTimestamp() - due) * 1e3 / Stopwatch.Frequency;
                }
            },
            ct
        );
        return (latencies, errors);
    }

    /// <summary>As fast as the answers come.</summary>
    /// <returns>Requests a second.</returns>
    public async Task<double> AtFullSpeedAsync(TimeSpan duration, CancellationToken ct)
    {
        var answered = 0L;
        var (began, end) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency));
        await OnEachAsync(
            (connection, place) =>
            {
                var random = new Random(place);
                var count = 0L;
                while (Stopwatch.GetTimestamp() < end)
                {
                    if (connection.Ask(Request(random)) is var status and not 200)
                        throw new InvalidOperationException($"A balance was answered with {status}.");
                    count++;
                }
                Interlocked.Add(ref answered, count);
            },
            ct
        );
        return answered / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private byte[] Request(Random random) => HttpSocket.Request($"/cards/{codes[random.Next(codes.Count)]}/balance");

    /// <summary>Dedicated threads: tasks of a pool would wait for one another.</summary>
    private Task OnEachAsync(Action<HttpSocket, int> use, CancellationToken ct) =>
        Task.WhenAll(
            Enumerable
                .Range(0, Connections)
                .Select(place =>
                    Task.Factory.StartNew(
                        () =>
                        {
                            using var connection = new HttpSocket(server);
                            use(connection, place);
                        },
                        ct,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                )
        );
}
