using Cdc.Core.Changes;

namespace Cdc.Core.Operations;

/// <param name="At">The source's clock, read before <paramref name="Written"/>: every commit that had returned by then starts below
/// it.</param>
/// <param name="Written">Where the source's WAL ended.</param>
/// <param name="SystemIdentifier">Of the server that was asked.</param>
public sealed record SourceMoment(DateTimeOffset At, Lsn Written, string SystemIdentifier);

/// <summary>Asks the source what time it is there, and how far its WAL is.</summary>
public interface ISourceClock
{
    /// <exception cref="Failures.CdcException">The source cannot be asked.</exception>
    Task<SourceMoment> ReadAsync(CancellationToken ct);
}
