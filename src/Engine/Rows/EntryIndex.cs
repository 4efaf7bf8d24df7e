using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Engine.Rows;

/// <summary>
/// The keys that have a quarantine or re-read entry, so that batches without any need no query. Only ever too large: entries are made
/// by the owner of the engine alone, others may delete some.
/// </summary>
public sealed class EntryIndex
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, HashSet<long>> _keys = [];

    public async Task ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = connection.Statement(QuarantineTable.EntriesSql);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            Add(reader.GetString(0), reader.GetInt64(1));
    }

    public void Add(string entity, long key)
    {
        lock (_lock)
        {
            if (!_keys.TryGetValue(entity, out var keys))
                _keys[entity] = keys = [];
            keys.Add(key);
        }
    }

    public bool Contains(string entity, long key)
    {
        lock (_lock)
            return _keys.TryGetValue(entity, out var keys) && keys.Contains(key);
    }

    public bool Any(string entity)
    {
        lock (_lock)
            return _keys.TryGetValue(entity, out var keys) && keys.Count > 0;
    }
}
