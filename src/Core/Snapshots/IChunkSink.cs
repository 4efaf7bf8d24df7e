namespace Cdc.Core.Snapshots;

/// <summary>
/// Where chunks go when they do not travel in the stream. Positions settle every order between the two, but for deletes and truncates.
/// </summary>
public interface IChunkSink
{
    /// <summary>
    /// Called at the chunk's marker, before anything after it is streamed. True: the range is reserved, changes of its keys wait until
    /// <see cref="LoadAsync"/> has ended. False: an engine transaction that is still open has touched the range, or the chunk is not of an
    /// initial load; the rows must travel in the stream.
    /// </summary>
    bool TryReserve(Chunk chunk);

    /// <summary>Writes the rows in a separate engine transaction, and always releases the range.</summary>
    Task LoadAsync(Chunk chunk, ChunkRows rows, CancellationToken ct);

    /// <summary>
    /// After the rows are in the engine and the stream has passed the marker: deletes what the chunk covers and neither has nor dropped,
    /// and records the chunk as finished. Returns the number of rows deleted.
    /// </summary>
    Task<long> FinishAsync(Chunk chunk, CancellationToken ct);
}
