using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Rows;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>
/// What a session remembers of the engine's rows, so that batches need no query: keys with entries, and the highest keys.
/// </summary>
internal sealed class EngineKnowledge(EntitySet entities)
{
    public EntryIndex Entries { get; } = new();

    public KeyHighWater Highest { get; } = new(entities.Count);

    /// <summary>Once it alone writes the keys that it is going to ask for.</summary>
    public async Task RefreshAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await Entries.ReadAsync(connection, ct);
        foreach (var entity in entities.All)
        {
            Highest.Raise(entity.Index, await connection.Statement(new UpsertSql(entity).MaxKey).ScalarAsync<long>(ct));
        }
    }
}
