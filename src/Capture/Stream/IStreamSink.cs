using Cdc.Core.Changes;

namespace Cdc.Capture.Stream;

/// <summary>
/// Takes what the stream says, in commit order: Begin, then rows, truncates and table states of that transaction, then Commit; messages
/// between transactions. What it is given it may keep, but for the content of a message, which is valid only during the call.
/// </summary>
internal interface IStreamSink
{
    void Begin(SourceTransaction transaction);

    /// <summary>Once for each entity that the row's table feeds, all at one position.</summary>
    void Row(RowChange change);

    void Truncate(TruncateChange change);

    void Commit(CommitChange change);

    /// <summary>Rows of the entity at or above the position are not passed on (stopped), or are again.</summary>
    void TableState(TableStateChange change);

    /// <summary>
    /// A message that was not part of a transaction: its LSN says when it was written, and everything committed before it has come.
    /// </summary>
    void Message(string prefix, ReadOnlySpan<byte> content, Lsn lsn);
}
