using Cdc.Core.Entities;
using Cdc.Core.Operations;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Cdc.Host.Servers;

namespace Cdc.Host.Quarantine;

/// <summary><see cref="QuarantineQueries"/> over its own connections.</summary>
internal sealed class QuarantineActions(Database engine, EntitySet entities) : IQuarantineActions
{
    public Task<(IReadOnlyList<QuarantineEntry> Entries, long Total)> ListAsync(QuarantineFilter filter, int limit, CancellationToken ct) =>
        engine.UseAsync<(IReadOnlyList<QuarantineEntry>, long)>(
            async c => (await QuarantineQueries.ListAsync(c, filter, limit, ct), await QuarantineQueries.CountAsync(c, filter, ct)),
            ct
        );

    public (string Because, IReadOnlyList<string> WhatToDo) Explain(QuarantineEntry entry) =>
        (QuarantineAdvice.Explain(entry.Reason, entities.Find(entry.Entity)), [.. QuarantineAdvice.WhatToDo(entry.Entity, entry.Key)]);

    public Task<long> RetryAsync(QuarantineFilter filter, CancellationToken ct) =>
        engine.UseAsync(c => QuarantineQueries.RequestRetryAsync(c, filter, ct), ct);

    public Task<long> DiscardAsync(QuarantineFilter filter, CancellationToken ct) =>
        engine.UseAsync(c => QuarantineQueries.DiscardAsync(c, filter, entities, ct), ct);
}
