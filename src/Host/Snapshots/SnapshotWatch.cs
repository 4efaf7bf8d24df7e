using Cdc.Core.Failures;
using Cdc.Engine.Requests;
using Cdc.Engine.Tables;
using Cdc.Host.Servers;
using Cdc.Host.Terminals;
using Spectre.Console;

namespace Cdc.Host.Snapshots;

/// <summary>Shows a request until it is answered: a bar on a terminal, a line for every change otherwise.</summary>
internal sealed class SnapshotWatch(Database engine, Terminal terminal, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Longer than the pipeline takes to see that a table was repaired.</summary>
    private const int MostLooksAtAStoppedTable = 10;

    /// <exception cref="CdcException">Preflight: the table is stopped, and stays so.</exception>
    public Task<SnapshotProgress> UntilAnsweredAsync(long request, CancellationToken ct) =>
        terminal.OutIsTerminal ? WithBarAsync(request, ct) : WithLinesAsync(request, ct);

    private Task<SnapshotProgress> WithBarAsync(long request, CancellationToken ct) =>
        terminal
            .Screen.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask("waiting");
                return await FollowAsync(
                    request,
                    progress =>
                    {
                        bar.Description = Markup.Escape(Describe(progress));
                        bar.Value = progress.State == RequestState.Done ? 100 : progress.Chunks?.Percent ?? 0;
                    },
                    ct
                );
            });

    private Task<SnapshotProgress> WithLinesAsync(long request, CancellationToken ct)
    {
        var last = "";
        return FollowAsync(
            request,
            progress =>
            {
                if (Describe(progress) is var line && line != last)
                    terminal.Out.WriteLine(last = line);
            },
            ct
        );
    }

    private async Task<SnapshotProgress> FollowAsync(long request, Action<SnapshotProgress> show, CancellationToken ct)
    {
        using var tick = new PeriodicTimer(Interval, time);
        for (var stopped = 0; ; )
        {
            var progress = await engine.UseAsync(c => SnapshotRequests.ProgressAsync(c, request, ct), ct);
            show(progress);
            if (progress.IsOver)
                return progress;
            stopped = progress.StoppedBy is null ? 0 : stopped + 1;
            if (stopped > MostLooksAtAStoppedTable)
                throw new CdcException(
                    FailureKind.Preflight,
                    $"{progress.Entity} is stopped: {progress.StoppedBy}",
                    $"Request {request} is kept: the table is read when it is followed again (ops/runbooks/table-stopped.md)."
                );
            await tick.WaitForNextTickAsync(ct);
        }
    }

    private static string Describe(SnapshotProgress p) =>
        p.Chunks is not { } c
            ? $"{p.Entity}: {p.State.Word()}"
            : $"{p.Entity}: {p.State.Word()}, {Quantity.Count(c.RowsDone)} rows, {c.ChunksDone}/{c.ChunksTotal} chunks, "
                + $"{Quantity.Percent(c.Percent)}, "
                + $"{Quantity.Count((long?)c.RowsPerSecond)} rows/s, ETA {Quantity.Duration(c.EtaSeconds)}";
}
