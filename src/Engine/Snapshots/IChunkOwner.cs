using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Engine.Snapshots;

/// <summary>The process that may load a chunk into the engine.</summary>
public interface IChunkOwner
{
    /// <summary>In the transaction of the chunk's rows or of its sweep; holds until COMMIT.</summary>
    /// <exception cref="Core.Failures.FencedException">The chunk is of a session that is not the one any more.</exception>
    Task AssertOwnedAsync(NpgsqlConnection connection, Chunk chunk, CancellationToken ct);
}
