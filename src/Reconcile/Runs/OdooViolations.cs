using Cdc.Core.Entities;
using Cdc.Core.Postgres;
using Cdc.Core.Postgres.Values;
using Cdc.Engine.Migrations;
using Cdc.Reconcile.Comparing;
using Cdc.Reconcile.Tables;
using Npgsql;

namespace Cdc.Reconcile.Runs;

/// <summary>
/// Places where Odoo's own numbers disagree. They are no drift: the engine has them as Odoo has them. Asked in one snapshot each, of whole
/// tables, so only on request.
/// </summary>
internal sealed class OdooViolations(ComparedServers servers, NpgsqlConnection engine, long run)
{
    private const int Examples = 20;

    /// <param name="state">Learns which were not looked for, because a table of theirs was not compared.</param>
    public async Task RunAsync(RunState state, CancellationToken ct)
    {
        foreach (var aggregate in DeclaredAggregate.Of(servers.Entities))
            await RecordAsync(servers.Engine, aggregate.Kind, aggregate.Wrong, [], state, ct);
        foreach (var (kind, keys, entities) in Checks(servers.Entities))
            await RecordAsync(servers.Source, kind, keys, entities, state, ct);
    }

    private async Task RecordAsync(
        NpgsqlDataSource side,
        string kind,
        string keys,
        EntityDeclaration[] entities,
        RunState state,
        CancellationToken ct
    )
    {
        if (Array.Exists(entities, e => state.IsLeftOut(e.Name)))
        {
            state.NotLookedFor(kind, null);
            return;
        }
        try
        {
            await RecordAsync(side, kind, keys, ct);
        }
        // Of tables that were compared, but some columns or a moment later.
        catch (PostgresException answer) when (TableAccess.IsOfTable(answer))
        {
            state.NotLookedFor(kind, answer.MessageText);
        }
    }

    private async Task RecordAsync(NpgsqlDataSource side, string kind, string keys, CancellationToken ct)
    {
        await using var connection = await side.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.Statement(TableAccess.ShortLock).ExecuteAsync(ct);
        await using var command = connection.Statement(
            $"SELECT count(*), coalesce((array_agg(k ORDER BY k))[1:{Examples}], '{{}}') FROM ({keys}) AS cdc_violations(k)"
        );
        command.CommandTimeout = 0;
        var (rows, examples) = (await command.RowsAsync(r => (r.GetInt64(0), r.GetFieldValue<long[]>(1)), ct)).Single();
        await engine
            .Statement(
                "INSERT INTO cdc.reconcile_violations (run, kind, rows, examples) VALUES ($1, $2, $3, $4)",
                run,
                kind,
                rows,
                examples
            )
            .ExecuteAsync(ct);
    }

    /// <summary>Each with SQL that gives the keys; only where the declaration has the columns.</summary>
    private static IEnumerable<(string Kind, string Keys, EntityDeclaration[] Entities)> Checks(EntitySet entities)
    {
        foreach (var child in entities.All)
        foreach (var parent in child.Parents)
            yield return (
                $"{child.Name}-orphan-{parent.Column.Replace('_', '-')}",
                Orphans(child, parent, entities.Find(parent.Entity)!),
                [child, entities.Find(parent.Entity)!]
            );
        var (card, history, move) = (
            entities.Serving(ServedRole.Card),
            entities.Serving(ServedRole.History),
            entities.Serving(ServedRole.Move)
        );
        if (Has(card, "points") && Has(history, "loyalty_card_id", "points_balance", "transaction_time"))
            yield return ("card-points-not-last-balance", LastBalance(card!, history!), [card!, history!]);
        else if (Has(card, "points") && Has(history, "loyalty_card_id", "points_amount"))
            yield return ("card-points-not-sum-of-history", NotSum(card!, history!, "points_amount"), [card!, history!]);
        if (Has(card, "points") && Has(move, "loyalty_card_id", "remaining_point", "state"))
            yield return (
                "card-points-not-active-moves",
                NotSum(card!, move!, "remaining_point", $"{Value(move!, "state")} = 'active'"),
                [card!, move!]
            );
    }

    private static string Orphans(EntityDeclaration child, ParentReference reference, EntityDeclaration parent)
    {
        var value = child.Columns.First(c => c.Name == reference.Column).Value;
        return $"""
            SELECT cdc_child.key FROM (SELECT {Key(child)}::bigint AS key, ({value})::bigint AS parent FROM {child.SourceRows}) AS cdc_child
            WHERE cdc_child.parent IS NOT NULL AND NOT EXISTS (SELECT FROM {parent.SourceRows} AS cdc_parent WHERE cdc_parent.{Key(
                parent
            )} = cdc_child.parent)
            """;
    }

    private static string LastBalance(EntityDeclaration card, EntityDeclaration history) =>
        $"""
            SELECT cdc_card.key FROM (SELECT {Key(card)}::bigint AS key, {Value(
                card,
                "points"
            )} AS points FROM {card.SourceRows}) AS cdc_card
            JOIN (SELECT DISTINCT ON (card) card, balance FROM (
                SELECT {Value(history, "loyalty_card_id")}::bigint AS card, {Value(history, "points_balance")} AS balance, {Value(
                history,
                "transaction_time"
            )} AS at, {Key(history)} AS key FROM {history.SourceRows}) AS cdc_history
                ORDER BY card, at DESC NULLS LAST, key DESC) AS cdc_last ON cdc_last.card = cdc_card.key
            WHERE cdc_card.points IS DISTINCT FROM cdc_last.balance
            """;

    /// <summary>
    /// Cards whose points are not what the rows of another entity add up to. Of Odoo 18's and 19's history they are not always: a merge of
    /// contacts, a write over the API, a point of sale whose browser was closed and an order cancelled before it had history move the points
    /// without a row.
    /// </summary>
    /// <param name="counted">SQL of the rows that count.</param>
    private static string NotSum(EntityDeclaration card, EntityDeclaration child, string amount, string counted = "true") =>
        $"""
            SELECT cdc_card.key FROM (SELECT {Key(card)}::bigint AS key, {Value(
                card,
                "points"
            )} AS points FROM {card.SourceRows}) AS cdc_card
            LEFT JOIN (SELECT {Value(child, "loyalty_card_id")}::bigint AS card, sum({Value(
                child,
                amount
            )}) AS points FROM {child.SourceRows} WHERE {counted} GROUP BY 1) AS cdc_rows ON cdc_rows.card = cdc_card.key
            WHERE cdc_card.points IS DISTINCT FROM coalesce(cdc_rows.points, 0)
            """;

    private static bool Has(EntityDeclaration? entity, params ReadOnlySpan<string> columns)
    {
        if (entity is null)
            return false;
        foreach (var column in columns)
            if (entity.Columns.All(c => c.Name != column))
                return false;
        return true;
    }

    private static string Value(EntityDeclaration entity, string column) => $"({entity.Columns.First(c => c.Name == column).Value})";

    private static string Key(EntityDeclaration entity) => entity.SourceKey.Number();
}
