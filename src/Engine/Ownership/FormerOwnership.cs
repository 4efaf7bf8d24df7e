using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Ownership;

/// <summary>
/// A table whose rows have owners, which the declaration does not know any more. Statements that do not look at owners would write over what
/// the engine owns.
/// </summary>
internal sealed class FormerOwnership
{
    private readonly string _entity;
    private readonly string _table;
    private readonly bool _isCard;

    private FormerOwnership(string entity, string table, bool isCard) => (_entity, _table, _isCard) = (entity, table, isCard);

    public Finding Finding =>
        new(
            "engine-ownership",
            IsError: true,
            $"Rows of {_table} have owners, but {_entity} has no \"reverse\" in the declaration any more.",
            "Put it back; or run 'cdc migrate', which takes owners away where the engine owns nothing and everything is in Odoo."
        );

    /// <summary>Cards first: where these are refused, all of it stays.</summary>
    public static async Task<IReadOnlyList<FormerOwnership>> FindAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        await using var connection = await engine.OpenConnectionAsync(ct);
        return await connection
            .Statement(
                "SELECT entity, name, is_card FROM cdc.owned_tables WHERE entity <> ALL ($1) ORDER BY is_card DESC, entity",
                [entities.All.Where(e => e.Reverse is not null).Select(e => e.Name).ToArray()]
            )
            .RowsAsync(row => new FormerOwnership(row.GetString(0), row.GetString(1), row.GetBoolean(2)), ct);
    }

    /// <summary>Columns stay: what they hold is of no use, and does no harm.</summary>
    /// <exception cref="CdcException">Refused: the engine owns some of it, or something is not in Odoo.</exception>
    public async Task RemoveAsync(NpgsqlDataSource engine, CancellationToken ct)
    {
        await using var connection = await engine.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.Statement($"SELECT pg_advisory_xact_lock({AdvisoryLocks.Migrations})").ExecuteAsync(ct);
        await connection.Statement($"LOCK TABLE {_table} IN ACCESS EXCLUSIVE MODE").ExecuteAsync(ct);
        var pending = await connection
            .Statement("SELECT count(*) FROM cdc.sync_log WHERE (entity = $1 OR $2) AND status <> 'synced'", _entity, _isCard)
            .ScalarAsync<long>(ct);
        var owned = _isCard ? await connection.Statement($"SELECT count(*) FROM {_table} WHERE owner = 'engine'").ScalarAsync<long>(ct) : 0;
        if (owned + pending > 0)
            throw new CdcException(
                FailureKind.Refused,
                $"{_entity} has no \"reverse\" any more, but the engine owns {owned} of {_table}, and {pending} own changes are not in Odoo.",
                "Put \"reverse\" back, and take it out when everything is in Odoo and the cards are Odoo's ('cdc owner set')."
            );
        await connection.Statement($"DROP FUNCTION IF EXISTS cdc.{Sql.Identifier("own_change_" + _entity)}() CASCADE").ExecuteAsync(ct);
        await connection.Statement($"DROP FUNCTION IF EXISTS cdc.{Sql.Identifier("owner_change_" + _entity)}() CASCADE").ExecuteAsync(ct);
        await connection.Statement($"DROP TRIGGER IF EXISTS cdc_own_truncate ON {_table}").ExecuteAsync(ct);
        await connection.Statement("DELETE FROM cdc.owned_tables WHERE entity = $1", _entity).ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
    }
}
