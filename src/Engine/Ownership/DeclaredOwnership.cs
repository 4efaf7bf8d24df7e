using System.Security.Cryptography;
using System.Text;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Engine.Migrations;
using Npgsql;

namespace Cdc.Engine.Ownership;

/// <summary>
/// Columns and triggers of the tables that the declaration lets flow back to Odoo. Made one table at a time, each in a transaction that gives
/// up soon where others use the table, and tries again: who waits for a table keeps everybody behind it waiting.
/// </summary>
public sealed class DeclaredOwnership
{
    private const int Attempts = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private const string IsKeptSql = """
        SELECT EXISTS (SELECT FROM cdc.owned_tables WHERE entity = $1 AND name = $2 AND version = $3)
            AND (SELECT count(*) = cardinality($4::text[]) FROM pg_trigger WHERE tgrelid = to_regclass($2) AND tgname = ANY ($4) AND tgenabled IN ('O', 'A'))
        """;

    private const string WrongColumnsSql = """
        SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        FROM pg_attribute a JOIN unnest($2::text[], $3::text[]) wanted(name, type) ON wanted.name = a.attname
        WHERE a.attrelid = to_regclass($1) AND NOT a.attisdropped AND format_type(a.atttypid, a.atttypmod) <> wanted.type
        """;

    private const string RecordSql = """
        INSERT INTO cdc.owned_tables (entity, name, is_card, version) VALUES ($1, $2, $3, $4)
        ON CONFLICT (entity) DO UPDATE SET name = EXCLUDED.name, is_card = EXCLUDED.is_card, version = EXCLUDED.version
        """;

    private readonly EntityDeclaration _entity;
    private readonly OwnChangeSql _own;
    private readonly IReadOnlyList<string> _statements;
    private readonly string[] _triggers;

    private DeclaredOwnership(EntityDeclaration entity, EntityDeclaration cards)
    {
        (_entity, _own) = (entity, new OwnChangeSql(entity, cards));
        var isCard = entity.Reverse!.IsCard;
        _statements = [.. _own.Statements, .. isCard ? new OwnerChangeSql(cards).Statements : []];
        _triggers = [.. OwnChangeSql.TriggerNames, .. isCard ? [OwnerChangeSql.TriggerName] : Array.Empty<string>()];
    }

    /// <summary>Changes with every part of it.</summary>
    private string Version =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(';', _statements.Prepend(_own.AddColumns)))))[..16];

    private (string Name, string Type)[] Columns =>
        _entity.Reverse!.IsCard
            ? [("base", "jsonb"), ("odoo_ref", "text"), ("owner", "text"), ("own_number", "bigint"), ("odoo_number", "bigint")]
            : [("base", "jsonb"), ("odoo_ref", "text")];

    /// <summary>Makes what is not there as it is declared, cards first.</summary>
    /// <param name="say">Receives what a person should know, such as how many rows were born in the engine before.</param>
    /// <exception cref="CdcException">Migration: a table has such a column of another type, or is in use all the time.</exception>
    public static async Task EnsureAsync(NpgsqlDataSource engine, EntitySet entities, Action<string> say, CancellationToken ct)
    {
        foreach (var owned in Of(entities))
            await owned.EnsureAsync(engine, say, ct);
        foreach (var former in await FormerOwnership.FindAsync(engine, entities, ct))
            await former.RemoveAsync(engine, ct);
    }

    /// <summary>Of a migrated engine: what is not as it is declared.</summary>
    public static async Task<IReadOnlyList<Finding>> FindAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        var findings = new List<Finding>();
        await using var connection = await engine.OpenConnectionAsync(ct);
        foreach (var owned in Of(entities))
            if (!await owned.IsKeptAsync(connection, ct))
                findings.Add(
                    new Finding(
                        "engine-ownership",
                        IsError: true,
                        $"Rows of {owned._entity.Name} are to have owners, and {owned._entity.EngineName} lacks what that needs.",
                        "Run 'cdc migrate'."
                    )
                );
        foreach (var former in await FormerOwnership.FindAsync(engine, entities, ct))
            findings.Add(former.Finding);
        return findings;
    }

    private static IEnumerable<DeclaredOwnership> Of(EntitySet entities) =>
        entities.Cards is { } cards
            ? entities
                .All.Where(e => e.Reverse is not null)
                .OrderByDescending(e => e.Reverse!.IsCard)
                .Select(e => new DeclaredOwnership(e, cards))
            : [];

    private async Task EnsureAsync(NpgsqlDataSource engine, Action<string> say, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                await TryEnsureAsync(engine, say, ct);
                return;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                if (attempt == Attempts)
                    throw new CdcException(
                        FailureKind.Migration,
                        $"{_entity.EngineName} was in use at each of {Attempts} attempts to give it columns and triggers. What was made of other tables stays.",
                        "Run 'cdc migrate' again when no long transaction uses it: SELECT pid, xact_start, query FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY 2;",
                        e
                    );
                if (attempt == 1)
                    say($"{_entity.EngineName} is in use; it is tried again for {Attempts * (int)Pause.TotalSeconds} seconds and more.");
                await Task.Delay(Pause, ct);
            }
    }

    private async Task TryEnsureAsync(NpgsqlDataSource engine, Action<string> say, CancellationToken ct)
    {
        await using var connection = await engine.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.Statement($"SELECT pg_advisory_xact_lock({AdvisoryLocks.Migrations})").ExecuteAsync(ct);
        if (await IsKeptAsync(connection, ct))
            return;
        var isNew = !await connection
            .Statement("SELECT EXISTS (SELECT FROM cdc.owned_tables WHERE entity = $1)", _entity.Name)
            .ScalarAsync<bool>(ct);
        await RunAsync(connection, "SET LOCAL lock_timeout = '2s'", ct);
        await RunAsync(connection, _own.AddColumns, ct);
        await RequireColumnsAsync(connection, ct);
        foreach (var sql in _statements)
            await RunAsync(connection, sql, ct);
        var adopted = isNew ? await connection.Statement(_own.Adopt).ScalarAsync<long>(ct) : 0;
        await connection.Statement(RecordSql, _entity.Name, _entity.EngineName, _entity.Reverse!.IsCard, Version).ExecuteAsync(ct);
        await transaction.CommitAsync(ct);
        if (adopted > 0)
            say(
                $"{adopted} rows of {_entity.EngineName} were born in the engine: each is in cdc.sync_log now, as a pending create. "
                    + $"SELECT id, card FROM cdc.sync_log WHERE entity = {Sql.Literal(_entity.Name)} AND action = 'create';"
            );
    }

    /// <summary>An own column of the operator's with such a name would be written into.</summary>
    private async Task RequireColumnsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var wrong = await connection
            .Statement(WrongColumnsSql, _entity.EngineName, Columns.Select(c => c.Name).ToArray(), Columns.Select(c => c.Type).ToArray())
            .RowsAsync(row => row.GetString(0), ct);
        if (wrong.Count > 0)
            throw new CdcException(
                FailureKind.Migration,
                $"{_entity.EngineName} has a column of another kind where rows have owners: {string.Join(", ", wrong)}.",
                "Rename it, then run 'cdc migrate' again."
            );
    }

    private Task<bool> IsKeptAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection.Statement(IsKeptSql, _entity.Name, _entity.EngineName, Version, _triggers).ScalarAsync<bool>(ct);

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
