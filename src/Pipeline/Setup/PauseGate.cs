using System.Diagnostics;
using Cdc.Core.Failures;
using Cdc.Engine;
using Cdc.Engine.Tables;

namespace Cdc.Pipeline.Setup;

/// <summary>Before a session touches the source: whether it may (<c>cdc pause --release</c>).</summary>
internal sealed class PauseGate(EngineOptions engine)
{
    private readonly SourceTable _source = new(engine);
    private SourcePause? _last;
    private long _askedAt;

    /// <exception cref="PausedException">It is let go of.</exception>
    public async Task RequireOpenAsync(CancellationToken ct)
    {
        try
        {
            (_last, _askedAt) = (await _source.PauseAsync(ct), Stopwatch.GetTimestamp());
        }
        catch (EngineException)
        {
            // What the engine lacks is said by what comes next. What it said last holds until its time is over.
        }
        if (_last is { } pause && Stopwatch.GetElapsedTime(_askedAt) < pause.Remaining)
            throw new PausedException(pause);
    }
}
