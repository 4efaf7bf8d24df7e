using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Engine.Tables;
using Cdc.Expressions.Declaration;
using Microsoft.Extensions.Logging;

namespace Cdc.Pipeline.Setup;

/// <summary>What <c>cdc run</c> would find if it started now. Changes nothing.</summary>
/// <param name="Followed">Null: the engine follows no source yet.</param>
/// <param name="Now">Null where there is nothing to compare with: no source is followed, or the slot is being made.</param>
public sealed record Continuity(FollowedSource? Followed, PresentSource? Now, IReadOnlyList<Finding> Findings)
{
    public bool IsAdoptable => Followed is not null && Now is not null && ContinuityCheck.IsAdoptable(Followed, Findings, Now);

    public static async Task<Continuity> ReadAsync(PipelineOptions options, EntitySet entities, ILogger log, CancellationToken ct)
    {
        // Before the engine's record: a running process records what it confirms before it does, so it cannot look like a gap.
        var setup = new SlotSetup(options.Source, entities);
        var slot = await SourceFailure.GuardAsync(() => setup.ReadAsync(ct));
        var followed = await new SourceTable(options.Engine).ReadAsync(ct);
        if (followed is null or { State: SourceState.Creating })
            return new Continuity(followed, null, []);
        if (LogMemory.Of(options, log) is { } memory)
            followed = followed.WithMemory(await memory(ct));
        var now = await SourceFailure.GuardAsync(() => LookAsync(options, entities, setup, slot, followed, log, ct));
        return new Continuity(followed, now, ContinuityCheck.FindAll(followed, options.Source, now));
    }

    private static async Task<PresentSource> LookAsync(
        PipelineOptions options,
        EntitySet entities,
        SlotSetup setup,
        SlotInfo? slot,
        FollowedSource followed,
        ILogger log,
        CancellationToken ct
    )
    {
        await using var capture = await CaptureSession.ConnectAsync(options.Source, options.Snapshot, entities, log, ct);
        return await PresentSource.ReadAsync(capture, slot, await setup.ReadPublicationAsync(ct), followed, ct);
    }
}
