using Cdc.Core.Changes;
using Cdc.Core.Postgres.Values;

namespace Cdc.Apply.Rows;

/// <summary>What a batch does to one key, all its changes folded into one.</summary>
internal struct FoldedRow
{
    /// <summary>The newest delete; it comes before the write.</summary>
    public RowChange? Delete;

    /// <summary>The newest row after the delete, if any.</summary>
    public RowChange? Write;

    /// <summary>Older images of the same row, newest first, where the newest leaves columns unchanged.</summary>
    public OlderImage? Older;

    /// <summary>
    /// Every row that the newest one has written over, newest first, also those before a delete: kept only where the engine may own the row,
    /// and something of Odoo's may be lost.
    /// </summary>
    public OlderImage? Versions;

    /// <summary>Source UPDATEs folded into <see cref="Write"/>.</summary>
    public int Updates;

    /// <summary>How the row began: only an update may take what it does not say from the engine's row.</summary>
    public RowChangeKind Kind;
}

internal sealed record OlderImage(RowChange Change, OlderImage? Next);
