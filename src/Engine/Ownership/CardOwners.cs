using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Npgsql;

namespace Cdc.Engine.Ownership;

/// <param name="Key">In the engine.</param>
/// <param name="Owner">odoo or engine.</param>
/// <param name="Base">What Odoo has where the engine has another value, as JSON; null: nothing differs.</param>
/// <param name="Pending">Own changes that are not in Odoo.</param>
/// <param name="Conflicts">Changes of Odoo's to what the engine owns.</param>
/// <param name="ChangedAt">When the owner changed last; null: never.</param>
public sealed record CardOwner(
    long Key,
    string? Code,
    string Owner,
    long? OwnNumber,
    long? OdooNumber,
    string? Base,
    long Pending,
    long Conflicts,
    DateTime? ChangedAt,
    string? ChangedBy
);

/// <summary>Cards whose owner is to change: one, or all of a company.</summary>
public sealed record OwnerScope(long? Key, long? Company);

/// <summary>Reads and changes the owners of cards.</summary>
public sealed class CardOwners(EntityDeclaration cards)
{
    private readonly string _key = Sql.Identifier(cards.EngineKey);
    private readonly string? _code = Column(cards.NotifyColumn);
    private readonly string? _company = Column(cards.ServedColumn("company"));

    /// <param name="code">Null: the card with the key.</param>
    /// <returns>Several may share a code.</returns>
    public Task<List<CardOwner>> FindAsync(NpgsqlConnection connection, string? code, long? key, CancellationToken ct)
    {
        if (code is not null && _code is null)
            throw new CdcException(
                FailureKind.Usage,
                $"{cards.Name} declares no \"notify\": cards have no code here.",
                "Name its id: --id ID"
            );
        return connection
            .Statement(ShowSql(code is null ? $"c.{_key} = $2" : $"c.{_code} = $2"), cards.Name, code is null ? key : code)
            .RowsAsync(Read, ct);
    }

    /// <summary>One transaction, between two of those who apply Odoo's changes. Written down in cdc.owner_changes.</summary>
    /// <param name="owner">odoo or engine.</param>
    /// <param name="evidence">Why, for the record.</param>
    /// <returns>How many cards have another owner now.</returns>
    /// <exception cref="CdcException">Refused: some of what the engine changed is not in Odoo. Nothing was changed.</exception>
    public async Task<int> SetAsync(NpgsqlConnection connection, OwnerScope scope, string owner, string evidence, CancellationToken ct)
    {
        try
        {
            return await TrySetAsync(connection, scope, owner, evidence, ct);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new CdcException(
                FailureKind.Unavailable,
                "Some of the cards are being written in a long transaction, or what is applied is: nothing was changed.",
                "Run it again. Who it is: SELECT pid, xact_start, query FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY 2;",
                e
            );
        }
    }

    private async Task<int> TrySetAsync(NpgsqlConnection connection, OwnerScope scope, string owner, string evidence, CancellationToken ct)
    {
        var (where, value) = Where(scope);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection
            .Statement("SELECT set_config('lock_timeout', '5s', true), set_config('cdc.evidence', $1, true)", evidence)
            .ExecuteAsync(ct);
        // Before any row's: who applies has this one first, too. It waits meanwhile, so nobody waits for long here.
        await connection.Statement($"SELECT pg_advisory_xact_lock({AdvisoryLocks.Owners})").ExecuteAsync(ct);
        var changed = await connection
            .Statement($"SELECT c.{_key} FROM {cards.EngineName} c WHERE {where} AND {Differs} ORDER BY 1 FOR NO KEY UPDATE", value, owner)
            .RowsAsync(row => row.GetInt64(0), ct);
        if (owner == "odoo")
            await RequireSettledAsync(connection, [.. changed], ct);
        await connection
            .Statement($"UPDATE {cards.EngineName} c SET owner = $2 WHERE c.{_key} = ANY ($1)", changed.ToArray(), owner)
            .ExecuteAsync(ct);
        if (owner == "odoo" && changed.Count > 0)
            await connection.Statement(LastSql, cards.Name).ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
        return changed.Count;
    }

    /// <summary>How many cards would have another owner.</summary>
    public Task<long> CountAsync(NpgsqlConnection connection, OwnerScope scope, string owner, CancellationToken ct)
    {
        var (where, value) = Where(scope);
        return connection
            .Statement($"SELECT count(*) FROM {cards.EngineName} c WHERE {where} AND {Differs}", value, owner)
            .ScalarAsync<long>(ct);
    }

    /// <summary>$2 the owner.</summary>
    private static string Differs => "coalesce(c.owner, 'odoo') <> $2::text";

    /// <summary>The engine owns nothing that Odoo has any more: statements need not look.</summary>
    private string LastSql =>
        $"UPDATE cdc.owned_tables SET engine_owns = false WHERE entity = $1 AND engine_owns AND NOT EXISTS (SELECT FROM {cards.EngineName} WHERE owner = 'engine')";

    private (string Where, long Value) Where(OwnerScope scope)
    {
        if (scope.Key is { } key)
            return ($"c.{_key} = $1", key);
        if (_company is null)
            throw new CdcException(
                FailureKind.Usage,
                $"{cards.Name} declares no company: cards cannot be named by it.",
                "Name one card, or declare its \"company\" in \"serves\" (docs/declaration.md)."
            );
        return ($"c.{_company} = $1", scope.Company!.Value);
    }

    private async Task RequireSettledAsync(NpgsqlConnection connection, long[] keys, CancellationToken ct)
    {
        var unsettled = await connection
            .Statement(UnsettledSql, keys)
            .RowsAsync(row => (Key: row.GetInt64(0), Pending: row.GetInt64(1)), ct);
        if (unsettled.Count > 0)
            throw new CdcException(
                FailureKind.Refused,
                $"{unsettled.Count} cards have what Odoo has not got yet ({unsettled.Sum(u => u.Pending)} own changes pending), such as {cards.Name} {string.Join(", ", unsettled.Take(5).Select(u => u.Key))}: they stay the engine's. Nothing was changed.",
                "Wait until it is in Odoo ('cdc owner show' shows what is pending), then give them back."
            );
    }

    private string UnsettledSql =>
        $"""
            SELECT c.{_key}, p.pending FROM {cards.EngineName} c
            CROSS JOIN LATERAL (SELECT count(*) AS pending FROM cdc.sync_log l WHERE l.card = c.{_key} AND l.status = 'pending') p
            WHERE c.{_key} = ANY ($1) AND (c.base IS NOT NULL OR p.pending > 0) ORDER BY 1
            """;

    private string ShowSql(string where) =>
        $"""
            SELECT c.{_key}, {(
                _code is null ? "NULL::text" : $"c.{_code}::text"
            )}, coalesce(c.owner, 'odoo'), c.own_number, c.odoo_number, c.base::text,
                   (SELECT count(*) FROM cdc.sync_log l WHERE l.card = c.{_key} AND l.status = 'pending'),
                   (SELECT count(*) FROM cdc.conflicts f WHERE f.card = c.{_key} AND f.settled_at IS NULL), o.changed_at, o.changed_by
            FROM {cards.EngineName} c LEFT JOIN LATERAL (
                SELECT changed_at, changed_by FROM cdc.owner_changes WHERE entity = $1 AND key = c.{_key} ORDER BY change DESC LIMIT 1) o ON true
            WHERE {where} ORDER BY 1 LIMIT 100
            """;

    private static CardOwner Read(NpgsqlDataReader row) =>
        new(
            row.GetInt64(0),
            Value<string>(row, 1),
            row.GetString(2),
            row.IsDBNull(3) ? null : row.GetInt64(3),
            row.IsDBNull(4) ? null : row.GetInt64(4),
            Value<string>(row, 5),
            row.GetInt64(6),
            row.GetInt64(7),
            row.IsDBNull(8) ? null : row.GetDateTime(8),
            Value<string>(row, 9)
        );

    private static T? Value<T>(NpgsqlDataReader row, int column)
        where T : class => row.IsDBNull(column) ? null : row.GetFieldValue<T>(column);

    private static string? Column(string? name) => name is null ? null : Sql.Identifier(name);
}
