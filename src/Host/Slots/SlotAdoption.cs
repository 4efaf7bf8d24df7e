using Cdc.Core.Failures;
using Cdc.Host.Servers;
using Cdc.Host.Status;
using Npgsql;

namespace Cdc.Host.Slots;

/// <summary>
/// Accepts that the same Odoo now has another system identifier (pg_upgrade) or timeline (failover), without reading everything again.
/// Only if nothing can be missing: the slot is not confirmed beyond what the engine wrote, and the source's WAL is not older than what is applied.
/// </summary>
internal static class SlotAdoption
{
    /// <exception cref="CdcException">DeclaredGap: continuity cannot be shown. Refused: there is nothing to adopt.</exception>
    public static void Check(FollowedSource followed, SourceStatus source)
    {
        if (followed.Database != source.Database || SlotVerdict.ContinuityOf(followed, source) is { Count: > 0 })
            throw new FindingsException(FailureKind.DeclaredGap, "This source cannot be adopted, changes may be missing:", All(followed, source));
        if (SlotVerdict.IdentityOf(followed, source) is null)
            throw new CdcException(FailureKind.Refused, "There is nothing to adopt: system identifier and timeline are the ones that the engine follows.",
                followed.State == "gap" ? $"The gap is another one ({followed.GapKind}): cdc slot reset" : "cdc slot show");
    }

    /// <summary>Compare-and-set on the identity that was checked.</summary>
    /// <exception cref="FencedException">Somebody else changed it meanwhile.</exception>
    public static async Task AcceptAsync(NpgsqlConnection engine, FollowedSource followed, SourceStatus source, CancellationToken ct)
    {
        const string sql =
            """
            UPDATE cdc.source
            SET system_identifier = $1, timeline = $2, state = 'streaming', gap_kind = NULL, gap_detail = NULL, updated_at = now()
            WHERE system_identifier = $3 AND timeline = $4 AND generation = $5
            """;
        object?[] values = [source.SystemIdentifier, source.Timeline, followed.SystemIdentifier, followed.Timeline, followed.Generation];
        if (await engine.ExecuteAsync(sql, values, ct) == 0)
            throw new FencedException("The engine's source was changed by somebody else while this was being checked.");
    }

    private static List<Finding> All(FollowedSource followed, SourceStatus source) =>
        [.. SlotVerdict.ContinuityOf(followed, source), .. SlotVerdict.IdentityOf(followed, source) is { } other ? [other] : Array.Empty<Finding>()];
}
