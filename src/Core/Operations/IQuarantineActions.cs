namespace Cdc.Core.Operations;

/// <summary>The quarantine as operators use it. Rows are never applied from here: a retry has them read again from the source.</summary>
public interface IQuarantineActions
{
    /// <summary>Oldest first, with their number; <see cref="QuarantineEntry.SourceRow"/> included.</summary>
    Task<(IReadOnlyList<QuarantineEntry> Entries, long Total)> ListAsync(QuarantineFilter filter, int limit, CancellationToken ct);

    /// <summary>Which rule or type refused the row, and what can be done about it.</summary>
    (string Because, IReadOnlyList<string> WhatToDo) Explain(QuarantineEntry entry);

    /// <summary>Marks entries to be read again from the source; returns their number.</summary>
    Task<long> RetryAsync(QuarantineFilter filter, CancellationToken ct);

    /// <summary>Forgets entries: the engine goes on without these changes. Returns their number.</summary>
    Task<long> DiscardAsync(QuarantineFilter filter, CancellationToken ct);
}
