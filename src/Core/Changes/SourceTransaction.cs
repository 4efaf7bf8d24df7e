using Cdc.Core.Postgres;

namespace Cdc.Core.Changes;

/// <summary>
/// A transaction of the source, as its BEGIN message announces it: the commit LSN is known before the first row, so no transaction
/// needs to be held whole.
/// </summary>
/// <param name="Xid">The top-level transaction id, extended to 64 bits (epoch in the high half).</param>
/// <param name="CommitLsn">Start of the commit record.</param>
/// <param name="CommitMicros">Commit time in microseconds since 2000-01-01 UTC, PostgreSQL's own unit.</param>
public sealed record SourceTransaction(ulong Xid, Lsn CommitLsn, long CommitMicros)
{
    public DateTime CommitTime => PostgresTime.FromMicros(CommitMicros);
}
