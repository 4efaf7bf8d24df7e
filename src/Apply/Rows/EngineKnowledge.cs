using Cdc.Core.Entities;
using Cdc.Engine.Rows;
using Npgsql;

namespace Cdc.Apply.Rows;

/// <summary>What a session remembers of the engine's rows, so that batches need not look: keys with entries, and the highest keys.</summary>
internal sealed class EngineKnowledge(EntitySet entities)
{
    public EntryIndex Entries { get; } = new();

    public KeyHighWater Highest { get; } = new(entities.Count);

    /// <summary>Once it alone writes the keys that it is going to ask for.</summary>
    public async Task RefreshAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await Entries.ReadAsync(connection, ct).ConfigureAwait(false);
        foreach (var entity in entities.All)
        {
            await using var command = new NpgsqlCommand(new UpsertSql(entity).MaxKey, connection);
            Highest.Raise(entity.Index, (long)(await command.ExecuteScalarAsync(ct).ConfigureAwait(false))!);
        }
    }
}
