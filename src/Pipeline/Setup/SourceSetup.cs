using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Changes;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres.Values;
using Cdc.Engine.Tables;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline.Setup;

/// <summary>
/// Brings publication, slot and the engine's record of them to where a session can start: the first time, after an accepted gap, and when
/// entities were declared since. Every step can be repeated after a crash.
/// </summary>
public sealed class SourceSetup(PipelineOptions options, EntitySet entities, ILogger log)
{
    private readonly SourceTable _followed = new(options.Engine);
    private readonly SlotSetup _slot = new(options.Source, entities);

    /// <summary>What the log remembers; null where it dies with its process.</summary>
    private readonly ReadLogMemory? _memory = LogMemory.Of(options, log);

    /// <summary>That of the session that was prepared last; null while none is known to be followed.</summary>
    public int? Generation { get; private set; }

    /// <summary>What comes before a session.</summary>
    /// <exception cref="DeclaredGapException">Continuity is broken.</exception>
    public async Task PrepareAsync(CaptureSession capture, CancellationToken ct)
    {
        Generation = null;
        // In this order, because another process may be running while this one waits as standby: what it confirms it has written before,
        // and what it has applied the server has flushed before. In the other order, its progress would look like a gap.
        var slot = await _slot.ReadAsync(ct);
        var followed = await _followed.ReadAsync(ct);
        if (followed is null or { State: SourceState.Creating })
        {
            Generation = await CreateAsync((await capture.IdentifyAsync(ct)).Identity, ct);
            return;
        }
        if (_memory is null)
            await RequireInProcessAsync(ct);
        Generation = followed.Generation;
        // Over Kafka the log records what is confirmed, because the engine may be down.
        if (_memory is not null)
            followed = followed.WithMemory(await _memory(ct));
        await CheckContinuityAsync(capture, followed, slot, ct);
        await AddEntitiesAsync(ct);
    }

    /// <summary>
    /// Over Kafka the slot is confirmed up to what the brokers have, beyond what the engine knows: in-process that would be a gap.
    /// </summary>
    /// <exception cref="CdcException">Configuration: the engine follows its source over Kafka.</exception>
    private async Task RequireInProcessAsync(CancellationToken ct)
    {
        if (!await _followed.IsOverKafkaAsync(ct))
            return;
        throw new CdcException(
            FailureKind.Configuration,
            "This engine follows its source over Kafka, and Log:Kind is InProcess. Nothing was changed.",
            "Set CDC__Log__Kind=Kafka with the brokers that 'cdc capture' uses. To go back to the in-process log, begin with a new "
                + "engine database."
        );
    }

    /// <returns>What was begun but not completed, or null.</returns>
    /// <exception cref="CdcException">Refused: the engine follows a source already.</exception>
    public async Task<FollowedSource?> RequireNothingFollowedAsync(CancellationToken ct)
    {
        var followed = await _followed.ReadAsync(ct);
        if (followed is null or { State: SourceState.Creating })
            return followed;
        throw new CdcException(
            FailureKind.Refused,
            $"This engine follows slot {followed.Slot} already. Nothing was changed.",
            "'cdc run' continues with it. To start again with another slot and read everything again: cdc slot reset"
        );
    }

    /// <summary>The first generation, or one that was begun but not completed.</summary>
    /// <returns>The generation.</returns>
    /// <exception cref="CdcException">Refused: the engine follows a source already.</exception>
    /// <exception cref="DeclaredGapException">The slot belongs to another pipeline.</exception>
    public async Task<int> CreateAsync(CancellationToken ct)
    {
        await RequireNothingFollowedAsync(ct);
        return await CreateAsync(await IdentifyAsync(ct), ct);
    }

    /// <summary>
    /// Accepts a gap: a new generation with a new slot, in which everything is read again. A generation that was begun this way is
    /// completed.
    /// </summary>
    /// <returns>The generation.</returns>
    public async Task<int> ResetAsync(CancellationToken ct)
    {
        var identity = await IdentifyAsync(ct);
        var followed = await _followed.ReadAsync(ct);
        if (!IsBegun(followed, identity))
            await BeginGenerationAsync(identity, ct);
        return await CompleteGenerationAsync(ct);
    }

    /// <summary>First half of a reset: the engine knows that a new generation begins; a running process fails at its next commit.</summary>
    public async Task BeginGenerationAsync(CancellationToken ct) => await BeginGenerationAsync(await IdentifyAsync(ct), ct);

    private async Task<SourceIdentity> IdentifyAsync(CancellationToken ct) =>
        (await SourceFailure.GuardAsync(() => CaptureSession.IdentifyAsync(options.Source, log, ct))).Identity;

    /// <summary>One process at a time: two that start on a new engine would each create the slot, and drop the other's.</summary>
    private async Task<int> CreateAsync(SourceIdentity identity, CancellationToken ct)
    {
        await using var alone = await _followed.LockGenerationAsync(ct);
        var followed = await _followed.ReadAsync(ct);
        if (followed is { State: not SourceState.Creating })
            return followed.Generation;
        if (!IsBegun(followed, identity))
        {
            await RefuseForeignSlotAsync(ct);
            await BeginGenerationAsync(identity, ct);
        }
        return await CompleteAloneAsync(ct);
    }

    /// <summary>Begun for this very server and slot: the slot of that name there is our own, half made.</summary>
    private bool IsBegun(FollowedSource? followed, SourceIdentity now) =>
        followed is { State: SourceState.Creating }
        && followed.Slot == options.Source.SlotName
        && followed.Publication == options.Source.Publication
        && followed.SystemIdentifier == now.SystemIdentifier
        && followed.Database == now.DatabaseName
        && (followed.DatabaseOid ?? now.DatabaseOid) == now.DatabaseOid;

    private async Task BeginGenerationAsync(SourceIdentity identity, CancellationToken ct)
    {
        var above = _memory is null ? 0 : (await _memory(ct)).Generation;
        await _followed.BeginGenerationAsync(
            identity.SystemIdentifier,
            identity.Timeline,
            Database(identity),
            options.Source.SlotName,
            options.Source.Publication,
            above,
            ct
        );
        CrashPoint.Hit("after-generation-begun");
    }

    /// <summary>Second half: publication, a new slot, and every table to be read.</summary>
    private async Task<int> CompleteGenerationAsync(CancellationToken ct)
    {
        await using var alone = await _followed.LockGenerationAsync(ct);
        return await CompleteAloneAsync(ct);
    }

    private async Task<int> CompleteAloneAsync(CancellationToken ct)
    {
        var followed = await _followed.ReadAsync(ct);
        if (followed is not { State: SourceState.Creating })
            return followed?.Generation ?? throw new FencedException("The engine's record of its source is gone.");
        var start = await MakeSlotAsync(ct);
        await _followed.CompleteGenerationAsync(followed.Generation, start, await PlanAsync(entities.All, ct), ct);
        PipelineLog.GenerationBegins(log, followed.Generation, options.Source.SlotName, start);
        return followed.Generation;
    }

    /// <summary>Failures are explained here: in the catalog, a slot that is not complete yet looks like a lost one.</summary>
    private Task<Lsn> MakeSlotAsync(CancellationToken ct) =>
        SourceFailure.GuardAsync(async () =>
        {
            await _slot.EnsurePublicationAsync(ct);
            CrashPoint.Hit("after-publication");
            await _slot.DropSlotAsync(ct);
            CrashPoint.Hit("after-slot-dropped");
            PipelineLog.CreatingSlot(log, options.Source.SlotName);
            var start = await _slot.CreateSlotAsync(ct);
            CrashPoint.Hit("after-slot");
            return start;
        });

    /// <summary>
    /// A slot of that name that this engine knows nothing of may be another pipeline's.
    /// </summary>
    private async Task RefuseForeignSlotAsync(CancellationToken ct)
    {
        if (await SourceFailure.GuardAsync(() => _slot.ReadAsync(ct)) is not { } slot)
            return;
        throw new DeclaredGapException(
            GapKinds.SlotForeign,
            $"Slot {slot.Name} exists on the source, but this engine has never used it: it may feed another engine.",
            "Choose another name in Source:SlotName; or, if nothing else uses it, run 'cdc slot drop' and start again."
        );
    }

    private async Task CheckContinuityAsync(CaptureSession capture, FollowedSource followed, SlotInfo? slot, CancellationToken ct)
    {
        var now = await PresentSource.ReadAsync(capture, slot, await _slot.ReadPublicationAsync(ct), followed, ct);
        if (ContinuityCheck.Find(followed, options.Source, now) is { } gap)
            throw gap;
        var identity = now.Server.Identity;
        var isNew =
            followed.DatabaseOid is null
            || followed.Database != identity.DatabaseName
            || (followed.DatabaseUuid is null && identity.DatabaseUuid is not null);
        if (now.SwitchPoint is not null || followed.State == SourceState.Gap || isNew)
            await _followed.AdoptAsync(followed, identity.SystemIdentifier, identity.Timeline, Database(identity), ct);
    }

    private static FollowedDatabase Database(SourceIdentity identity) =>
        new(identity.DatabaseName, identity.DatabaseOid, identity.DatabaseUuid);

    private async Task AddEntitiesAsync(CancellationToken ct)
    {
        var known = await _followed.EntitiesAsync(ct);
        var added = entities.All.Where(e => !known.ContainsKey(e.Name)).ToList();
        if (added.Count == 0)
            return;
        var change = await _slot.EnsurePublicationAsync(ct);
        await _followed.AddEntitiesAsync(await PlanAsync(added, ct), change?.BarrierXid ?? 0, ct);
    }

    private async Task<IReadOnlyList<PlannedTable>> PlanAsync(IReadOnlyList<EntityDeclaration> planned, CancellationToken ct)
    {
        var tables = await SourceFailure.GuardAsync(() => CaptureSession.ReadTablesAsync(options.Source, entities, ct));
        return [.. planned.Select(e => new PlannedTable(e.Name, tables[e.Index].Fingerprint, tables[e.Index].EstimatedRows))];
    }
}
