namespace Cdc.Pipeline;

/// <summary>
/// One session of a worker: the whole pipeline in-process, or one end of the Kafka log. It throws the first failure, and keeps
/// no state for the next one outside of source, log and engine.
/// </summary>
internal interface IPipelineSession
{
    /// <summary>Returns when <paramref name="stop"/> was asked for.</summary>
    /// <param name="started">Called when everything that it needs is there, and it begins to work.</param>
    Task RunAsync(Action started, CancellationToken stop);

    /// <summary>
    /// The session that runs, or ran last, made progress: its failure is a new one, not the one before it. Read while it runs, from another
    /// thread.
    /// </summary>
    bool HasProgressed { get; }

    /// <summary>The next session looks anew whether everything is there that it needs, though an earlier one found that it was.</summary>
    void LookAgain();

    /// <summary>That of the session that ran last; null while none is known to be followed.</summary>
    int? Generation { get; }

    /// <summary>Begins a new generation, or leaves that to another process.</summary>
    Task AcceptGapAsync(CancellationToken ct);
}
