using Cdc.Core.Operations;
using Cdc.Host.Terminals;
using Spectre.Console;

namespace Cdc.Host.Status;

/// <summary>
/// Refreshes every second until it is cancelled, or the reader of its output has gone. Both are the normal end: success.
/// </summary>
internal sealed class StatusWatch(StatusReader reader, Terminal terminal, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    public async Task<int> RunAsync(bool json, CancellationToken ct)
    {
        try
        {
            if (terminal.OutIsTerminal && !json)
                await LiveAsync(ct);
            else
                await EachAsync(report => terminal.Out.WriteLine(json ? Json.Line(report) : StatusView.Line(report)), ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Ctrl-C.
        }
        return ExitCodes.Success;
    }

    private Task LiveAsync(CancellationToken ct) =>
        terminal
            .Screen.Live(new Text("reading ..."))
            .StartAsync(live => EachAsync(report => live.UpdateTarget(StatusView.ToScreen(report)), ct));

    private async Task EachAsync(Action<StatusReport> show, CancellationToken ct)
    {
        using var tick = new PeriodicTimer(Interval, time);
        do
        {
            show(await reader.ReadAsync(ct));
        } while (await tick.WaitForNextTickAsync(ct) && !terminal.OutHasNoReader());
    }
}
