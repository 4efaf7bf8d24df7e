namespace Cdc.Bench.Measure;

/// <summary>
/// One way of keeping a copy of Odoo's cards and history in the engine's cluster. Only one of them runs while anything is measured; the
/// slot of the other keeps what it will get later.
/// </summary>
internal interface IReplica : IAsyncDisposable
{
    /// <summary>Last part of its figures' names.</summary>
    string Name { get; }

    /// <summary>The slot on the source that it streams from.</summary>
    string Slot { get; }
    BenchDatabase Target { get; }
    string CardTable { get; }
    string HistoryTable { get; }

    /// <summary>Under which key it has a row of history.</summary>
    long KeyOf(int history);

    /// <summary>
    /// Whether it shows all that was committed below an LSN; null where the last row shows it, because rows appear in commit order.
    /// </summary>
    string? HasReachedSql(string lsn);

    /// <summary>CPU that its own program beside the two servers has used since it was started last.</summary>
    TimeSpan ProgramCpu { get; }

    /// <summary>From an empty database and no slot to both tables loaded. It continues to stream.</summary>
    Task<LoadTimes> LoadAsync(CancellationToken ct);

    /// <summary>Lets it stream; returns before it does.</summary>
    Task StartAsync(CancellationToken ct);

    /// <summary>Returns when nothing of it runs any more and its slot is free.</summary>
    Task StopAsync(CancellationToken ct);

    /// <summary>Throws when it has ended by itself.</summary>
    void ThrowIfEnded();
}

/// <param name="StartUp">From the command to the moment when rows can be read.</param>
/// <param name="Load">From there until all of them are in.</param>
internal sealed record LoadTimes(TimeSpan StartUp, TimeSpan Load);
