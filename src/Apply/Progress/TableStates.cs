using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Npgsql;

namespace Cdc.Apply.Progress;

/// <summary>cdc.tables as the owner of the engine sees it: which entities are stopped, and since when rows are whole.</summary>
internal sealed class TableStates(EntitySet entities)
{
    private readonly bool[] _stopped = new bool[entities.Count];
    private readonly ulong[] _barriers = new ulong[entities.Count];

    public Rows.WholeSince Whole { get; } = new(entities.Count);

    public bool IsStopped(int entity) => Volatile.Read(ref _stopped[entity]);

    public ulong Barrier(int entity) => _barriers[entity];

    public IReadOnlySet<int> Stopped => entities.All.Where(e => IsStopped(e.Index)).Select(e => e.Index).ToHashSet();

    public async Task LoadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT entity, state = 'stopped', whole_generation, whole_lsn, barrier_xid FROM cdc.tables", connection);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            if (entities.Find(reader.GetString(0)) is not { } entity) continue;
            _stopped[entity.Index] = reader.GetBoolean(1);
            Whole[entity.Index] = new ChangePosition(reader.GetInt32(2), CheckpointTable.Read(reader, 3), 0);
            _barriers[entity.Index] = (ulong)reader.GetInt64(4);
        }
    }

    /// <summary>In the engine transaction that applies the stream: the stop is durable before the slot can pass it.</summary>
    public async Task ChangeAsync(NpgsqlConnection connection, TableStateChange change, CancellationToken ct)
    {
        var name = entities[change.Entity].Name;
        if (change.StopReason is { } reason)
            await StopAsync(connection, name, reason, ct).ConfigureAwait(false);
        else
            await ReadAgainAsync(connection, name, change.Position, ct).ConfigureAwait(false);
        Volatile.Write(ref _stopped[change.Entity], change.StopReason is not null);
        if (change.StopReason is null) Whole[change.Entity] = change.Position;
    }

    private static async Task StopAsync(NpgsqlConnection connection, string entity, string reason, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "UPDATE cdc.tables SET state = 'stopped', reason = $2, updated_at = now() WHERE entity = $1", connection)
        {
            Parameters = { new() { Value = entity }, new() { Value = reason } },
        };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static async Task ReadAgainAsync(NpgsqlConnection connection, string entity, ChangePosition whole, CancellationToken ct)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("UPDATE cdc.tables SET state = 'loading', reason = NULL, whole_generation = $2, whole_lsn = $3, updated_at = now() WHERE entity = $1")
                {
                    Parameters = { new() { Value = entity }, new() { Value = whole.Generation }, CheckpointTable.Lsn(whole.CommitLsn) },
                },
                // Chunks that are not read yet would read what the one below reads.
                new("DELETE FROM cdc.chunks WHERE entity = $1 AND state = 'pending'") { Parameters = { new() { Value = entity } } },
                new("INSERT INTO cdc.chunks (entity, generation, kind) VALUES ($1, $2, 'snapshot')")
                {
                    Parameters = { new() { Value = entity }, new() { Value = whole.Generation } },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
