using Cdc.Core.Entities;
using Cdc.Core.Fences;
using Cdc.Engine.Tables;

namespace Cdc.Engine.Fences;

/// <summary>The fences of one session, on a separate connection.</summary>
public sealed class FenceQueue(EntitySet entities, EngineOptions options, FenceSignals signals, int generation, long session)
    : IFenceQueue,
        IAsyncDisposable
{
    private const int KeptRows = 10_000;

    private readonly SharedConnection _connection = new(options, EngineRole.Fences);
    private Task _changed = Task.CompletedTask;

    public async Task<IReadOnlyList<FenceRequest>> PendingAsync(CancellationToken ct)
    {
        _changed = signals.Next;
        var pending = new List<FenceRequest>();
        foreach (var fence in await _connection.UseAsync(c => FenceTable.PendingAsync(c, session, ct), ct))
        {
            if (entities.Find(fence.Entity) is { } entity)
                pending.Add(new FenceRequest(fence.Id, entity.Index, fence.Range, StageOf(fence.State), fence.Snapshot));
            else
                await BreakAsync(fence.Id, FenceReasons.UnknownEntity, "The running pipeline has no such entity.", ct);
        }
        return pending;
    }

    public Task<bool> ArmAsync(long fence, CancellationToken ct) =>
        _connection.UseAsync(
            async c =>
            {
                await FenceTable.PruneAsync(c, fence - KeptRows, ct);
                return await FenceTable.ArmAsync(c, fence, session, generation, ct);
            },
            ct
        );

    public Task PostponeAsync(long fence, string reason, string detail, CancellationToken ct) =>
        _connection.UseAsync(c => FenceTable.PostponeAsync(c, fence, reason, detail, ct), ct);

    public Task BreakAsync(long fence, string reason, string detail, CancellationToken ct) =>
        _connection.UseAsync(c => (Task)FenceTable.BreakAsync(c, fence, reason, detail, ct), ct);

    public Task WaitAsync(TimeSpan atMost, CancellationToken ct) => FenceSignals.WaitAsync(_changed, atMost, ct);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static FenceStage StageOf(FenceState state) =>
        state switch
        {
            FenceState.Announced => FenceStage.Announced,
            FenceState.Armed => FenceStage.Armed,
            _ => FenceStage.Read,
        };
}
