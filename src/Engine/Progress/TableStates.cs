using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Engine.Progress;

/// <summary>
/// cdc.tables as the owner of the engine sees it: which entities are stopped, and what their tables look like. Since when rows are whole is
/// read there by the statements that ask: below it changes may have passed a row by (a gap, a stop, a rewrite).
/// </summary>
public sealed class TableStates(EntitySet entities) : ITableRegistry
{
    private readonly bool[] _stopped = new bool[entities.Count];
    private readonly TableFingerprint?[] _fingerprints = new TableFingerprint?[entities.Count];
    private readonly ulong[] _barriers = new ulong[entities.Count];

    public bool IsStopped(int entity) => Volatile.Read(ref _stopped[entity]);

    public ulong Barrier(int entity) => _barriers[entity];

    public IReadOnlyList<TableFingerprint?> Fingerprints => _fingerprints;

    public async Task LoadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "SELECT entity, state = 'stopped', barrier_xid, relation_oid, relfilenode, columns FROM cdc.tables",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            if (entities.Find(reader.GetString(0)) is not { } entity)
                continue;
            _stopped[entity.Index] = reader.GetBoolean(1);
            _barriers[entity.Index] = (ulong)reader.GetInt64(2);
            if (!reader.IsDBNull(5))
                _fingerprints[entity.Index] = new TableFingerprint(
                    reader.GetInt64(3),
                    reader.GetInt64(4),
                    reader.GetString(5),
                    _barriers[entity.Index]
                );
        }
    }

    /// <summary>In the engine transaction that applies the stream: the stop is durable before the slot can pass it.</summary>
    public async Task ChangeAsync(NpgsqlConnection connection, TableStateChange change, CancellationToken ct)
    {
        var name = entities[change.Entity].Name;
        if (change.StopReason is { } reason)
            await StopAsync(connection, name, reason, ct).ConfigureAwait(false);
        else
            await ReadAgainAsync(connection, name, change, ct).ConfigureAwait(false);
        Remember(change);
        change.Applied?.TrySetResult();
    }

    private void Remember(TableStateChange change)
    {
        Volatile.Write(ref _stopped[change.Entity], change.StopReason is not null);
        if (change.StopReason is not null || change.Fingerprint is not { } fingerprint)
            return;
        Volatile.Write(ref _fingerprints[change.Entity], fingerprint);
        Volatile.Write(ref _barriers[change.Entity], fingerprint.BarrierXid);
    }

    private static async Task StopAsync(NpgsqlConnection connection, string entity, string reason, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "UPDATE cdc.tables SET state = 'stopped', reason = $2, updated_at = now() WHERE entity = $1",
            connection
        )
        {
            Parameters =
            {
                new() { Value = entity },
                new() { Value = reason },
            },
        };
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static async Task ReadAgainAsync(NpgsqlConnection connection, string entity, TableStateChange change, CancellationToken ct)
    {
        var whole = change.Position;
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(
                    "UPDATE cdc.tables SET state = 'loading', reason = NULL, whole_generation = $2, whole_lsn = $3, updated_at = now() WHERE entity = $1"
                )
                {
                    Parameters =
                    {
                        new() { Value = entity },
                        new() { Value = whole.Generation },
                        Statements.Parameter(whole.CommitLsn),
                    },
                },
                // Chunks that are not read yet would read what the one below reads. A request that loses one begins anew: whoever asked may
                // wait for rows that are read after this change.
                new(
                    """
                    WITH gone AS (DELETE FROM cdc.chunks WHERE entity = $1 AND state = 'pending' RETURNING request),
                         reopened AS (UPDATE cdc.requests SET state = 'open' WHERE state = 'accepted' AND id IN (SELECT request FROM gone) RETURNING id)
                    UPDATE cdc.chunks SET request = NULL WHERE state = 'done' AND request IN (SELECT id FROM reopened)
                    """
                )
                {
                    Parameters = { new() { Value = entity } },
                },
                new("INSERT INTO cdc.chunks (entity, generation, kind) VALUES ($1, $2, 'snapshot')")
                {
                    Parameters =
                    {
                        new() { Value = entity },
                        new() { Value = whole.Generation },
                    },
                },
            },
        };
        if (change.Fingerprint is { } fingerprint)
            batch.BatchCommands.Add(FollowedSourceTable.SetFingerprint(entity, fingerprint));
        await batch.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }
}
