using Cdc.Core.Changes;

namespace Cdc.Log;

/// <summary>
/// Order: batches are read in the order they were appended. Duplicates: none within a session; after a restart the source sends again what
/// was not confirmed. Durability: in-process none (the source's WAL is the durable log).
/// </summary>
public interface IChangeLogWriter
{
    /// <summary>Apply has enough to do: the writer need not hurry.</summary>
    bool IsHalfFull { get; }

    /// <summary>Waits while the log holds more bytes than its bound.</summary>
    ValueTask AppendAsync(ChangeBatch batch, CancellationToken ct);
}

public interface IChangeLogReader
{
    /// <summary>False when the log is closed and read to its end.</summary>
    ValueTask<bool> WaitToReadAsync(CancellationToken ct);

    bool TryRead([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ChangeBatch? batch);
}
