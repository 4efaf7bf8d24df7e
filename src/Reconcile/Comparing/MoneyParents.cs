using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Engine.Tables;
using Cdc.Reconcile.Fences;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Comparing;

/// <summary>
/// Whether rows can be summed by what their parent has. The fence is of the rows' own table: the parent's may be stopped, replaced by a
/// view, locked, or not be readable, and what it shows then is not what the engine has of it.
/// </summary>
internal static class MoneyParents
{
    // What holds now, not in the snapshot: a table that was truncated since is empty in an older one.
    private const string RelationSql = "SELECT $1::regclass::oid::bigint, pg_relation_filenode($1::regclass)::bigint";

    /// <returns>Which of the parents are not compared; null: nothing can be said of any.</returns>
    public static async Task<ExceptionKeys?> ReadAsync(FencedSnapshots fence, MoneySql money, CancellationToken ct)
    {
        var parent = money.Parent!;
        if (await RelationQueries.FollowedAsync(fence.Engine, parent.Name, ct) is not { } followed)
            return null;
        // The probes lock the tables, so that they stay what they are for as long as the fence is open.
        if (!await MayAsync(fence.Source, async () => await fence.Source.Statement(money.SourceParent).ExecuteAsync(ct), ct))
            return null;
        if (!await MayAsync(fence.Engine, async () => await fence.Engine.Statement(money.EngineParent).ExecuteAsync(ct), ct))
            return null;
        return await IsAsync(fence.Source, parent, followed, ct) ? await ExceptionKeys.OfParentsAsync(fence, parent, ct) : null;
    }

    /// <summary>The snapshot goes on.</summary>
    private static async Task<bool> MayAsync(NpgsqlConnection side, Func<Task> ask, CancellationToken ct)
    {
        await side.Statement("SAVEPOINT cdc_parent").ExecuteAsync(ct);
        try
        {
            await ask();
            await side.Statement("RELEASE SAVEPOINT cdc_parent").ExecuteAsync(ct);
            return true;
        }
        catch (PostgresException e) when (TableAccess.IsOfTable(e))
        {
            await side.Statement("ROLLBACK TO SAVEPOINT cdc_parent").ExecuteAsync(ct);
            await side.Statement("RELEASE SAVEPOINT cdc_parent").ExecuteAsync(ct);
            return false;
        }
    }

    private static async Task<bool> IsAsync(
        NpgsqlConnection source,
        EntityDeclaration parent,
        FollowedRelation followed,
        CancellationToken ct
    )
    {
        var now = (
            await source.Statement(RelationSql, parent.SourceName).RowsAsync(row => new FollowedRelation(row.Long(0), row.Long(1)), ct)
        ).Single();
        return followed.Oid is null || followed == now;
    }
}
