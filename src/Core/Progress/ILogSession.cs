using Cdc.Core.Changes;

namespace Cdc.Core.Progress;

/// <summary>How far everything is in the log.</summary>
/// <param name="Through">All commits that start below it are acknowledged.</param>
/// <param name="Last">The last whole transaction below it; null if this session has streamed none.</param>
/// <param name="AsOfMicros">All commits that had returned by then, by the source's clock, are below it; null: this session has streamed no
/// heartbeat.</param>
public sealed record LogProgress(Lsn Through, SourceTransaction? Last, long? AsOfMicros)
{
    public static readonly LogProgress None = new(Lsn.Zero, null, null);
}

/// <summary>What a partition holds.</summary>
/// <param name="Begin">Offset of the first record that there still is.</param>
/// <param name="End">Offset behind everything that is in it.</param>
public readonly record struct LogExtent(long Begin, long End);

/// <summary>One capture session's hold on a log that other processes read, as the engine's side of it needs to know it.</summary>
public interface ILogSession
{
    /// <summary>Its number in the log.</summary>
    long Number { get; }

    /// <summary>By partition, what was in it when the session began.</summary>
    IReadOnlyDictionary<string, LogExtent> Extents { get; }

    LogProgress Acknowledged { get; }

    /// <summary>Everything that is acknowledged lies below it; take it after <see cref="Acknowledged"/>.</summary>
    IReadOnlyDictionary<string, long> Vector();

    /// <summary>Compares with the partitions that the engine has checkpoints of.</summary>
    /// <exception cref="Failures.CdcException">A topic has another number of partitions.</exception>
    void RequireCounts(IReadOnlyCollection<string> known);
}
