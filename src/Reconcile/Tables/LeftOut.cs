using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Fences;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Fences;
using Npgsql;

namespace Cdc.Reconcile.Tables;

/// <summary>A table that a comparison goes on without, and in what words.</summary>
internal static class LeftOut
{
    /// <summary>Of one table alone. Whatever else fails ends the comparison.</summary>
    public static bool IsOfOneTable(Exception failure) =>
        failure
            is TableException
                or FenceException
                {
                    Reason: FenceReasons.Stopped or FenceReasons.Locked or FenceReasons.Rewritten or FenceReasons.UnknownEntity
                };

    /// <param name="reason">With what to do; null: none is known.</param>
    public static string Stopped(string entity, string? reason) => $"{entity} is stopped: {reason ?? "the engine knows nothing of it."}";

    /// <summary>With what to do: the pipeline's own words where it has stopped the table, who holds it where it is locked.</summary>
    public static async Task<string> WhyAsync(
        ComparedServers servers,
        NpgsqlConnection engine,
        EntityDeclaration entity,
        CdcException failure,
        CancellationToken ct
    )
    {
        if (await SourceQueries.StopReasonAsync(engine, entity.Name, ct) is { } reason)
            return Stopped(entity.Name, reason);
        var holder = await HolderAsync(servers, entity, failure, ct);
        return string.Join(' ', new[] { $"{entity.Name}: {failure.Message}", holder, failure.Remedy }.OfType<string>());
    }

    private static async Task<string?> HolderAsync(
        ComparedServers servers,
        EntityDeclaration entity,
        CdcException failure,
        CancellationToken ct
    )
    {
        var server = failure switch
        {
            TableException { LockedAt: { } at } => at,
            FenceException { Reason: FenceReasons.Locked } => Server.Source,
            _ => (Server?)null,
        };
        if (server is not { } side)
            return null;
        await using var connection = await (side == Server.Source ? servers.Source : servers.Engine).OpenConnectionAsync(ct);
        return await LockHolders.OfTableAsync(connection, side == Server.Source ? entity.SourceName : entity.EngineName, ct);
    }
}
