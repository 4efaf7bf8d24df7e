using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Snapshots;
using Cdc.Engine.Tables;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Cdc.Engine.Snapshots;

/// <summary>What the engine remembers of each source table, as its owner knows it: which are stopped, and their shape.</summary>
/// <param name="log">Gets one line for each table that stops, whether stream or catalog stopped it.</param>
public sealed class TableRegistry(EntitySet entities, ILogger log) : ITableRegistry
{
    private readonly bool[] _stopped = new bool[entities.Count];
    private readonly TableFingerprint?[] _fingerprints = new TableFingerprint?[entities.Count];
    private readonly ulong[] _barriers = new ulong[entities.Count];

    public bool IsStopped(int entity) => Volatile.Read(ref _stopped[entity]);

    public ulong Barrier(int entity) => _barriers[entity];

    public IReadOnlyList<TableFingerprint?> Fingerprints => _fingerprints;

    public async Task LoadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        foreach (var table in await TablesTable.ReadAsync(connection, ct))
        {
            if (entities.Find(table.Entity) is not { } entity)
                continue;
            _stopped[entity.Index] = table.State == TableState.Stopped;
            _barriers[entity.Index] = table.BarrierXid;
            _fingerprints[entity.Index] = table.Fingerprint ?? _fingerprints[entity.Index];
        }
    }

    /// <summary>In the engine transaction that applies the stream: the stop is durable before the slot can pass it.</summary>
    public async Task ChangeAsync(NpgsqlConnection connection, TableStateChange change, CancellationToken ct)
    {
        var name = entities[change.Entity].Name;
        if (change.StopReason is { } reason)
        {
            await TablesTable.StopAsync(connection, name, reason, ct);
            if (!IsStopped(change.Entity))
                TableRegistryLog.Stops(log, entities[change.Entity].SourceName, reason);
        }
        else
            await TablesTable.ReadAgainAsync(connection, name, change.Position, change.Fingerprint, ct);
        Remember(change);
        change.Applied?.TrySetResult();
    }

    /// <summary>
    /// Of a process that only applies, which the registry of the one that reads does not hear of: there it stops when that starts again.
    /// </summary>
    public static Task StopAsync(NpgsqlConnection connection, EntityDeclaration entity, string reason, CancellationToken ct) =>
        TablesTable.StopAsync(connection, entity.Name, reason, ct);

    private void Remember(TableStateChange change)
    {
        Volatile.Write(ref _stopped[change.Entity], change.StopReason is not null);
        if (change.StopReason is not null || change.Fingerprint is not { } fingerprint)
            return;
        Volatile.Write(ref _fingerprints[change.Entity], fingerprint);
        Volatile.Write(ref _barriers[change.Entity], fingerprint.BarrierXid);
    }
}

internal static partial class TableRegistryLog
{
    [LoggerMessage(120, LogLevel.Warning, "Table {Table} stops: {Reason}")]
    public static partial void Stops(ILogger log, string table, string reason);
}
