using System.Diagnostics;
using System.Globalization;

namespace Cdc.Testing.Processes;

/// <summary>
/// A child process in its own session (a Ctrl-C at our terminal does not reach it) that dies with us, even when we are killed with
/// SIGKILL.
/// </summary>
public sealed class WatchedProcess : IAsyncDisposable
{
    private const int KeptLines = 400;
    private readonly Process _watchdog;
    private readonly WatchedCommand _command;
    private readonly TaskCompletionSource<int> _pid = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<string> _lines = new();

    private WatchedProcess(WatchedCommand command)
    {
        _command = command;
        _watchdog = new Process { StartInfo = StartInfo(command) };
        _watchdog.OutputDataReceived += (_, e) => Receive(e.Data, isOutput: true);
        _watchdog.ErrorDataReceived += (_, e) => Receive(e.Data, isOutput: false);
    }

    /// <summary>The command's own process id, not the watchdog's.</summary>
    public int Pid => _pid.Task.Result;

    public bool HasExited => _watchdog.HasExited;

    /// <summary>128 + n after signal n.</summary>
    public int ExitCode => _watchdog.ExitCode;

    /// <summary>The last lines of output and error output.</summary>
    public string Tail
    {
        get
        {
            lock (_lines)
                return string.Join(Environment.NewLine, _lines);
        }
    }

    public static async Task<WatchedProcess> StartAsync(WatchedCommand command, CancellationToken ct)
    {
        var process = new WatchedProcess(command);
        process._watchdog.Start();
        process._watchdog.BeginOutputReadLine();
        process._watchdog.BeginErrorReadLine();
        await process._pid.Task.WaitAsync(ct);
        return process;
    }

    /// <summary>False if the process has ended.</summary>
    public bool Send(Signal signal) => !HasExited && SignalSender.Send(Pid, signal);

    /// <summary>The exit code, when all output has been read.</summary>
    public async Task<int> WaitAsync(CancellationToken ct)
    {
        await _watchdog.WaitForExitAsync(ct);
        return _watchdog.ExitCode;
    }

    /// <summary>Sends the signal and waits for the end.</summary>
    /// <exception cref="TimeoutException">It goes on running: the test fails instead of waiting for ever.</exception>
    public async Task<int> StopAsync(Signal signal, CancellationToken ct)
    {
        Send(signal);
        return await WaitAsync(ct).WaitAsync(TimeSpan.FromMinutes(3), ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
            await StopAsync(Signal.Kill, CancellationToken.None);
        _watchdog.Dispose();
    }

    private static ProcessStartInfo StartInfo(WatchedCommand command)
    {
        var start = new ProcessStartInfo(
            "setsid",
            [
                "/bin/sh",
                "-c",
                Watchdog.Script,
                "watchdog",
                SignalName(command.OrphanSignal),
                command.OrphanScratch ?? "",
                command.File,
                .. command.Arguments,
            ]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = command.WorkingDirectory ?? "",
        };
        foreach (var (name, value) in command.Environment)
            start.Environment[name] = value;
        return start;
    }

    private static string SignalName(Signal signal) => ((int)signal).ToString(CultureInfo.InvariantCulture);

    private void Receive(string? line, bool isOutput)
    {
        if (line is null)
        {
            if (isOutput)
                _pid.TrySetException(new InvalidOperationException($"{_command.File} did not start: {Tail}"));
            return;
        }
        if (isOutput && !_pid.Task.IsCompleted && line.StartsWith("pid ", StringComparison.Ordinal))
        {
            _pid.SetResult(int.Parse(line.AsSpan(4), CultureInfo.InvariantCulture));
            return;
        }
        Keep(line);
        _command.OnLine?.Invoke(line);
    }

    private void Keep(string line)
    {
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
                _lines.Dequeue();
        }
    }
}
