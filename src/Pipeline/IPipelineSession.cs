namespace Cdc.Pipeline;

/// <summary>
/// One life of what a worker keeps up: all of the pipeline in-process, or one end of the Kafka log. It throws whatever fails first, and keeps
/// nothing for the next one but what is in source, log and engine.
/// </summary>
internal interface IPipelineSession
{
    /// <summary>Returns when <paramref name="stop"/> was asked for.</summary>
    /// <param name="started">Called when everything that it needs is there, and it begins to work.</param>
    Task RunAsync(Action started, CancellationToken stop);

    /// <summary>The session that ran last has brought something on its way: what failed then is not what failed before it.</summary>
    bool HasProgressed { get; }

    /// <summary>That of the session that ran last; null while none is known to be followed.</summary>
    int? Generation { get; }

    /// <summary>Begins a new generation, or leaves that to another process.</summary>
    Task AcceptGapAsync(CancellationToken ct);
}
