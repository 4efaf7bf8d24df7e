namespace Cdc.Testing.Processes;

/// <summary>Starts the real <c>cdc</c> program that lies beside this assembly.</summary>
public static class CdcProcess
{
    /// <summary>The running <c>dotnet</c>, or the one on the path.</summary>
    public static string DotnetPath =>
        Environment.GetEnvironmentVariable("DOTNET_HOST_PATH")
        ?? (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet");

    /// <summary>CDC_PROGRAM names another build of it, such as one that was compiled ahead of time.</summary>
    public static string ProgramPath =>
        Environment.GetEnvironmentVariable("CDC_PROGRAM") ?? Path.Combine(AppContext.BaseDirectory, "cdc.dll");

    /// <param name="environment">Settings, such as <c>CDC__Source__ConnectionString</c>.</param>
    /// <param name="onLine">Called for every line of output.</param>
    public static Task<WatchedProcess> StartAsync(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment,
        Action<string>? onLine,
        CancellationToken ct
    )
    {
        if (!File.Exists(ProgramPath))
            throw new FileNotFoundException($"{ProgramPath} is missing: the project needs a reference to src/Host.", ProgramPath);
        return WatchedProcess.StartAsync(Command(arguments) with { Environment = environment, OnLine = onLine }, ct);
    }

    /// <summary>
    /// The same, and ends when it has said something: before its first line the runtime may not have installed the signal handlers, and a
    /// SIGTERM would end it as it ends any program.
    /// </summary>
    public static async Task<WatchedProcess> StartAsync(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment,
        CancellationToken ct
    )
    {
        var spoken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = await StartAsync(arguments, environment, _ => spoken.TrySetResult(), ct);
        await Task.WhenAny(spoken.Task, process.WaitAsync(ct));
        return process;
    }

    /// <summary>What stands before its arguments: a .dll is dotnet's to run; a build that brings its own runtime is a program.</summary>
    public static IReadOnlyList<string> CommandLine => Path.GetExtension(ProgramPath) == ".dll" ? [DotnetPath, ProgramPath] : [ProgramPath];

    private static WatchedCommand Command(IReadOnlyList<string> arguments) => new(CommandLine[0], [.. CommandLine.Skip(1), .. arguments]);

    /// <summary>Runs to the end. Kills the process when cancelled.</summary>
    /// <returns>Exit code and the last lines of output.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?> environment,
        CancellationToken ct
    )
    {
        await using var process = await StartAsync(arguments, environment, null, ct);
        var code = await process.WaitAsync(ct);
        return (code, process.Tail);
    }
}
