namespace Cdc.Testing.Processes;

/// <summary>What to start, and what becomes of it when this process dies.</summary>
public sealed record WatchedCommand(string File, params IReadOnlyList<string> Arguments)
{
    /// <summary>Added to this process's own environment; null removes a variable.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();
    public string? WorkingDirectory { get; init; }

    /// <summary>Sent to the child when we are gone.</summary>
    public Signal OrphanSignal { get; init; } = Signal.Kill;

    /// <summary>A folder that is removed when the child ended because we are gone.</summary>
    public string? OrphanScratch { get; init; }

    /// <summary>Called for every line of output or error output, on a pool thread.</summary>
    public Action<string>? OnLine { get; init; }
}
