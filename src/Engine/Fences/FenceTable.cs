using Cdc.Core.Entities;
using Cdc.Core.Fences;
using Cdc.Core.Snapshots;
using Npgsql;

namespace Cdc.Engine.Fences;

/// <summary>cdc.fences as Capture sees it, on a connection of its own.</summary>
public sealed class FenceTable(EntitySet entities, EngineOptions options, FenceSignals signals, int generation, long session)
    : IFenceQueue,
        IAsyncDisposable
{
    private const int KeptRows = 10_000;

    private NpgsqlConnection? _connection;
    private Task _changed = Task.CompletedTask;

    public Task<IReadOnlyList<FenceRequest>> PendingAsync(CancellationToken ct) => EngineErrors.GuardAsync(() => ReadPendingAsync(ct));

    public Task<bool> ArmAsync(long fence, CancellationToken ct) =>
        EngineErrors.GuardAsync(async () =>
        {
            await ExecuteAsync(FenceSql.Prune, ct, fence - KeptRows).ConfigureAwait(false);
            return await MoveAsync(FenceSql.Arm, ct, fence, session, generation).ConfigureAwait(false);
        });

    public Task PostponeAsync(long fence, string reason, string detail, CancellationToken ct) =>
        EngineErrors.GuardAsync(() => ExecuteAsync(FenceSql.Postpone, ct, fence, reason, detail));

    public Task BreakAsync(long fence, string reason, string detail, CancellationToken ct) =>
        EngineErrors.GuardAsync(() => MoveAsync(FenceSql.Break, ct, fence, reason, detail));

    public Task WaitAsync(TimeSpan atMost, CancellationToken ct) => FenceSignals.WaitAsync(_changed, atMost, ct);

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
            await connection.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<FenceRequest>> ReadPendingAsync(CancellationToken ct)
    {
        _changed = signals.Next;
        await ExecuteAsync(FenceSql.BreakExpired, ct).ConfigureAwait(false);
        var pending = new List<FenceRequest>();
        var unknown = new List<long>();
        await using (var command = await CommandAsync(FenceSql.Pending, ct, session).ConfigureAwait(false))
        await using (var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            while (await reader.ReadAsync(ct).ConfigureAwait(false))
            {
                if (entities.Find(reader.GetString(1)) is { } entity)
                    pending.Add(Read(reader, entity));
                else
                    unknown.Add(reader.GetInt64(0));
            }
        }
        foreach (var fence in unknown)
            await MoveAsync(FenceSql.Break, ct, fence, FenceReasons.UnknownEntity, "The running pipeline has no such entity.")
                .ConfigureAwait(false);
        return pending;
    }

    private static FenceRequest Read(NpgsqlDataReader reader, EntityDeclaration entity) =>
        new(
            reader.GetInt64(0),
            entity.Index,
            new KeyRange(Bound(reader, 2), Bound(reader, 3)),
            reader.GetString(4) switch
            {
                "announced" => FenceStage.Announced,
                "armed" => FenceStage.Armed,
                _ => FenceStage.Read,
            },
            reader.IsDBNull(5) ? null : reader.GetString(5)
        );

    private static long? Bound(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetInt64(ordinal);

    /// <summary>False: it was no longer where it could be moved from.</summary>
    private async Task<bool> MoveAsync(string sql, CancellationToken ct, params object[] values)
    {
        await using var command = await CommandAsync(sql, ct, values).ConfigureAwait(false);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await reader.ReadAsync(ct).ConfigureAwait(false);
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct, params object[] values)
    {
        await using var command = await CommandAsync(sql, ct, values).ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private async Task<NpgsqlCommand> CommandAsync(string sql, CancellationToken ct, params object[] values)
    {
        _connection ??= await EngineConnection.OpenAsync(options, "fences", ct).ConfigureAwait(false);
        var command = new NpgsqlCommand(sql, _connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.PrepareAsync(ct).ConfigureAwait(false);
        return command;
    }
}
