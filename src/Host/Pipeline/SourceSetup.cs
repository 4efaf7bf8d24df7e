using Cdc.Apply;
using Cdc.Apply.Progress;
using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Microsoft.Extensions.Logging;

namespace Cdc.Host.Pipeline;

/// <summary>
/// Brings publication, slot and the engine's record of them to where a session can start: the first time, after an accepted gap, and when
/// entities were declared since. Every step can be repeated after a crash.
/// </summary>
public sealed class SourceSetup(SourceOptions source, EngineOptions engine, EntitySet entities, ILogger log)
{
    private readonly FollowedSourceTable _followed = new(engine);
    private readonly SlotSetup _slot = new(source, entities);

    /// <exception cref="DeclaredGapException">Continuity is broken.</exception>
    public async Task PrepareAsync(CaptureSession capture, CancellationToken ct)
    {
        // In this order, because another process may be running while this one waits as standby: what it confirms it has written before,
        // and what it has applied the server has flushed before. Read the other way round, its progress would look like a gap.
        var slot = await _slot.ReadAsync(ct).ConfigureAwait(false);
        var followed = await _followed.ReadAsync(ct).ConfigureAwait(false);
        var now = await capture.IdentifyAsync(ct).ConfigureAwait(false);
        if (followed is null or { State: "creating" })
        {
            await SetUpAsync(now.Identity, ct).ConfigureAwait(false);
            return;
        }
        await CheckContinuityAsync(capture, followed, slot, now, ct).ConfigureAwait(false);
        await AddEntitiesAsync(ct).ConfigureAwait(false);
    }

    /// <summary>One process at a time: two that start on a new engine would each create the slot, and drop the other's.</summary>
    private async Task SetUpAsync(SourceIdentity identity, CancellationToken ct)
    {
        await using var alone = await _followed.LockSetUpAsync(ct).ConfigureAwait(false);
        var followed = await _followed.ReadAsync(ct).ConfigureAwait(false);
        if (followed is { State: not "creating" }) return;
        if (followed is null)
        {
            RefuseForeignSlot(await _slot.ReadAsync(ct).ConfigureAwait(false));
            await BeginGenerationAsync(identity, ct).ConfigureAwait(false);
            CrashPoint.Hit("after-generation-begun");
        }
        await CompleteGenerationAsync(ct).ConfigureAwait(false);
    }

    /// <summary>First half of a reset: the engine knows that a new generation begins; whoever runs fails at its next commit.</summary>
    public async Task BeginGenerationAsync(CancellationToken ct)
    {
        var now = await CaptureSession.IdentifyAsync(source, log, ct).ConfigureAwait(false);
        await BeginGenerationAsync(now.Identity, ct).ConfigureAwait(false);
    }

    /// <summary>Second half: publication, a new slot, and every table to be read.</summary>
    public async Task CompleteGenerationAsync(CancellationToken ct)
    {
        await _slot.EnsurePublicationAsync(ct).ConfigureAwait(false);
        CrashPoint.Hit("after-publication");
        await _slot.DropSlotAsync(ct).ConfigureAwait(false);
        PipelineLog.CreatingSlot(log, source.SlotName);
        var start = await _slot.CreateSlotAsync(ct).ConfigureAwait(false);
        CrashPoint.Hit("after-slot");
        await _followed.CompleteGenerationAsync(start, await PlanAsync(entities.All, ct).ConfigureAwait(false), ct).ConfigureAwait(false);
        PipelineLog.GenerationBegins(log, source.SlotName, start);
    }

    private Task BeginGenerationAsync(SourceIdentity identity, CancellationToken ct) =>
        _followed.BeginGenerationAsync(identity.SystemIdentifier, identity.Timeline, identity.DatabaseName, source.SlotName, source.Publication, ct);

    /// <summary>A slot of that name that this engine knows nothing of may be another pipeline's. No gap, or Source:AcceptGaps would drop it.</summary>
    private static void RefuseForeignSlot(SlotInfo? slot)
    {
        if (slot is null) return;
        throw new CdcException(FailureKind.DeclaredGap,
            $"Slot {slot.Name} exists on the source, but this engine has never used it: it may feed another engine.",
            $"Choose another name in Source:SlotName; or, if nothing else uses it, run 'cdc slot drop' and start again.");
    }

    private async Task CheckContinuityAsync(CaptureSession capture, FollowedSource followed, SlotInfo? slot, IdentifiedSource now, CancellationToken ct)
    {
        var switched = now.Identity.Timeline != followed.Timeline && now.Identity.SystemIdentifier == followed.SystemIdentifier
            ? await capture.SwitchPointAsync(now.Identity.Timeline, followed.Timeline, ct).ConfigureAwait(false)
            : null;
        if (ContinuityCheck.Find(followed, source.SlotName, slot, now, switched) is { } gap) throw gap;
        if (switched is not null)
            await _followed.AdoptAsync(now.Identity.SystemIdentifier, now.Identity.Timeline, now.Identity.DatabaseName, ct).ConfigureAwait(false);
    }

    private async Task AddEntitiesAsync(CancellationToken ct)
    {
        var known = await _followed.EntitiesAsync(ct).ConfigureAwait(false);
        var added = entities.All.Where(e => !known.ContainsKey(e.Name)).ToList();
        if (added.Count == 0) return;
        var change = await _slot.EnsurePublicationAsync(ct).ConfigureAwait(false);
        await _followed.AddEntitiesAsync(await PlanAsync(added, ct).ConfigureAwait(false), change?.BarrierXid ?? 0, ct).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<PlannedTable>> PlanAsync(IReadOnlyList<EntityDeclaration> planned, CancellationToken ct)
    {
        var tables = await CaptureSession.ReadTablesAsync(source, entities, ct).ConfigureAwait(false);
        return [.. planned.Select(e => new PlannedTable(e.Name, tables[e.Index].Fingerprint, tables[e.Index].EstimatedRows))];
    }
}
