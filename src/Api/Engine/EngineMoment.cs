using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Cdc.Engine.Status;
using Cdc.Engine.Tables;
using Npgsql;

namespace Cdc.Api.Engine;

/// <summary>The engine's progress in the snapshot of one statement.</summary>
/// <param name="State">Null: it follows no source yet.</param>
/// <param name="AsOf">Everything committed until then, by the source's clock, is applied: of the last applied transaction, or of a
/// heartbeat since.</param>
/// <param name="TableState">Null: nothing is known of the table yet.</param>
internal sealed record EngineMoment(
    SourceState? State,
    AppliedThrough Through,
    string? SystemIdentifier,
    DateTimeOffset? AsOf,
    TableState? TableState
)
{
    /// <summary>The one of which the other is a later moment; null: they cannot be compared.</summary>
    public static EngineMoment? Earlier(EngineMoment a, EngineMoment b) =>
        a.Through.Generation != b.Through.Generation || a.SystemIdentifier != b.SystemIdentifier ? null
        : a.Through.Lsn <= b.Through.Lsn ? a
        : b;

    /// <param name="first">Place of the first of <see cref="EngineMomentSql.Columns"/>.</param>
    public static EngineMoment Read(NpgsqlDataReader row, int first) =>
        new(
            row.Get<string>(first) is { } state ? States.Of<SourceState>(state) : null,
            new AppliedThrough(row.GetInt32(first + 1), row.Lsn(first + 3)),
            row.Get<string>(first + 2),
            row.Time(first + 4),
            row.Get<string>(first + 5) is { } table ? States.Of<TableState>(table) : null
        );
}
