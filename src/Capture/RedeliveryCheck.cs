using Cdc.Core.Changes;
using Cdc.Core.Failures;
using Cdc.Core.Progress;

namespace Cdc.Capture;

/// <summary>
/// The last applied transaction, when the source sends it again, must be the same one: commit LSN, xid and commit time. A source that was
/// restored from a backup has written something else there.
/// </summary>
internal sealed class RedeliveryCheck(ResumePoint resume, Lsn confirmed, string slot)
{
    // A slot that was confirmed above the last transaction does not send it again.
    private bool _pending = resume.LastXid != 0 && confirmed <= resume.Last.CommitLsn;

    /// <exception cref="DeclaredGapException">It is another one, or it did not come.</exception>
    public void Begin(SourceTransaction transaction)
    {
        if (!_pending || transaction.CommitLsn < resume.Last.CommitLsn)
            return;
        _pending = false;
        var same =
            transaction.CommitLsn == resume.Last.CommitLsn
            && (uint)transaction.Xid == (uint)resume.LastXid
            && transaction.CommitMicros == resume.LastCommitMicros;
        if (!same)
            throw Rewound($"sends {(uint)transaction.Xid} at {transaction.CommitLsn} in its place");
    }

    /// <summary>A marker came, between two transactions. It may be at the very place of the next commit, not beyond it.</summary>
    /// <exception cref="DeclaredGapException">The last applied transaction should have come before it.</exception>
    public void Passed(Lsn marker)
    {
        if (_pending && marker > resume.Last.CommitLsn)
            throw Rewound($"goes on to {marker} without it");
    }

    private DeclaredGapException Rewound(string what) =>
        new(
            GapKinds.SourceRewound,
            $"The last applied transaction was {(uint)resume.LastXid} at {resume.Last.CommitLsn}; slot {slot} {what}. "
                + "The source is not the one that was followed: it was restored, or replaced.",
            "Check with 'cdc slot show'; accept it and read everything again with 'cdc slot reset' (ops/runbooks/slot-reset.md)."
        );
}
