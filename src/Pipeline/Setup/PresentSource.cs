using Cdc.Capture;
using Cdc.Capture.Slot;
using Cdc.Capture.Source;
using Cdc.Core.Changes;
using Cdc.Engine.Tables;

namespace Cdc.Pipeline.Setup;

/// <summary>The source as it is now, as far as it has to fit what was followed.</summary>
/// <param name="SwitchPoint">Where its timeline left the followed one; null if it never was on it, or is still on it.</param>
public sealed record PresentSource(IdentifiedSource Server, SlotInfo? Slot, PublicationState Publication, Lsn? SwitchPoint)
{
    internal static async Task<PresentSource> ReadAsync(
        CaptureSession capture,
        SlotInfo? slot,
        PublicationState publication,
        FollowedSource followed,
        CancellationToken ct
    )
    {
        var server = await capture.IdentifyAsync(ct);
        var switched =
            server.Identity.Timeline != followed.Timeline && server.Identity.SystemIdentifier == followed.SystemIdentifier
                ? await capture.SwitchPointAsync(server.Identity.Timeline, followed.Timeline, ct)
                : null;
        return new PresentSource(server, slot, publication, switched);
    }
}
