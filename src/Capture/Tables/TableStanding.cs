using Cdc.Core.Changes;

namespace Cdc.Capture.Tables;

/// <summary>What one look at the catalog came to for a table.</summary>
/// <param name="StopReason">Null: it can be followed.</param>
/// <param name="Fingerprint">Null where it cannot.</param>
/// <param name="Version">Another one: the catalog says something else about the table, or it said so meanwhile.</param>
internal sealed record TableSighting(string? StopReason, TableFingerprint? Fingerprint, string Version);

internal enum TableStep
{
    None,

    /// <summary>It stops, or it is stopped for another reason than before.</summary>
    Stop,

    /// <summary>It goes on, and all of it is read again.</summary>
    ReadAgain,

    /// <summary>It stays stopped: read again it would stop again, as the catalog has not changed since that was tried.</summary>
    StayStopped,
}

/// <summary>
/// What has been decided about one table in this session. Only what the catalog says lets a stopped table go on; and where the stream stops
/// it again though the catalog has not changed, it stays stopped, or it would be read again and again.
/// </summary>
internal sealed class TableStanding
{
    private string? _reason;
    private string? _wentOnAt;
    private int _stayed;

    /// <param name="stopped">The registry of tables has it as stopped; <paramref name="known"/>: with this fingerprint.</param>
    public TableStep Next(bool stopped, TableFingerprint? known, TableSighting now)
    {
        if (now.StopReason is { } reason)
        {
            _wentOnAt = null;
            if (stopped && reason == _reason)
                return TableStep.None;
            _reason = reason;
            return TableStep.Stop;
        }
        _reason = null;
        if (!stopped && known is not null && TableFingerprints.AreSame(known, now.Fingerprint!))
            return TableStep.None;
        if (stopped && _wentOnAt == now.Version)
            // Said once; and not the first time, when the stream may have seen a change that this look was too early for.
            return ++_stayed == 2 ? TableStep.StayStopped : TableStep.None;
        (_wentOnAt, _stayed) = (now.Version, 0);
        return TableStep.ReadAgain;
    }
}
