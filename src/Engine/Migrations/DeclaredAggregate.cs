using System.Security.Cryptography;
using System.Text;
using Cdc.Core.Entities;
using Cdc.Core.Failures;
using Cdc.Core.Postgres;
using Cdc.Core.Progress;
using Npgsql;

namespace Cdc.Engine.Migrations;

/// <summary>
/// The table of an aggregate and what keeps it: triggers on the entity's table, which add what each statement changed. So it is right in every
/// transaction that anybody commits, whichever way the rows came (stream, load, repair, a person), and over Kafka whichever worker wrote them.
/// </summary>
public sealed class DeclaredAggregate
{
    private readonly EntityDeclaration _entity;
    private readonly AggregateDeclaration _aggregate;
    private readonly AggregateSql _sql;

    private DeclaredAggregate(EntityDeclaration entity, EntitySet entities)
    {
        (_entity, _aggregate) = (entity, entity.Aggregate!);
        var parent = entity.Parents.FirstOrDefault(p => p.Column == _aggregate.By);
        // Whoever keeps the parent's rows in memory with their sums hears of a change.
        var channel =
            parent is not null && entities.Find(parent.Entity) is { NotifyColumn: not null } card ? ChangeNotice.Channel(card.Name) : null;
        _sql = new AggregateSql(entity, channel);
    }

    private string Stem => AggregateSql.Stem(_aggregate);

    private string Function => _sql.Function;

    private IEnumerable<string> Triggers
    {
        get
        {
            (string What, string Rows)[] events =
            [
                ("insert", "REFERENCING NEW TABLE AS rows_now"),
                ("update", "REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_now"),
                ("delete", "REFERENCING OLD TABLE AS rows_before"),
                ("truncate", ""),
            ];
            foreach (var (what, rows) in events)
            {
                var name = Sql.Identifier($"{Stem}_{what}");
                yield return $"DROP TRIGGER IF EXISTS {name} ON {_entity.EngineName}";
                yield return $"CREATE TRIGGER {name} AFTER {what.ToUpperInvariant()} ON {_entity.EngineName} {rows} FOR EACH STATEMENT EXECUTE FUNCTION {Function}()";
                // Also in sessions that have switched off the triggers of foreign keys.
                yield return $"ALTER TABLE {_entity.EngineName} ENABLE ALWAYS TRIGGER {name}";
            }
        }
    }

    /// <summary>What a comparison calls it if the sums are not those of the rows.</summary>
    public string Kind => $"engine-{_aggregate.Table.Replace('_', '-')}-wrong";

    /// <summary>SQL that gives the keys whose sums are wrong: in one snapshot there are none.</summary>
    public string Wrong => _sql.Wrong;

    private IEnumerable<string> Statements => [.. _sql.Tables, _sql.Keep, .. Triggers, .. _sql.Fill];

    /// <summary>Changes with every part of it.</summary>
    private string Version => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(';', Statements))))[..16];

    public static IEnumerable<DeclaredAggregate> Of(EntitySet entities) =>
        entities.All.Where(e => e.Aggregate is not null).Select(e => new DeclaredAggregate(e, entities));

    /// <summary>Makes what is not there as it is declared, and sums up what is.</summary>
    public static async Task EnsureAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        foreach (var aggregate in Of(entities))
            await aggregate.EnsureAsync(engine, ct);
    }

    public static async Task<IReadOnlyList<Finding>> FindAsync(NpgsqlDataSource engine, EntitySet entities, CancellationToken ct)
    {
        var findings = new List<Finding>();
        await using var connection = await engine.OpenConnectionAsync(ct);
        foreach (var aggregate in Of(entities))
            if (!await aggregate.IsKeptAsync(connection, ct))
                findings.Add(
                    new Finding(
                        "engine-aggregate",
                        IsError: true,
                        $"The engine does not keep {aggregate._aggregate.Name}, the sums of {aggregate._entity.Name}, as it is declared.",
                        "Run 'cdc migrate'."
                    )
                );
        return findings;
    }

    private async Task EnsureAsync(NpgsqlDataSource engine, CancellationToken ct)
    {
        await using var connection = await engine.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await connection.Statement($"SELECT pg_advisory_xact_lock({AdvisoryLocks.Migrations})").ExecuteAsync(ct);
        if (await IsKeptAsync(connection, ct))
            return;
        // Nobody writes rows between the triggers and the first sums.
        await connection.Statement($"LOCK TABLE {_entity.EngineName} IN SHARE ROW EXCLUSIVE MODE").ExecuteAsync(ct);
        foreach (var sql in Statements)
            await Run(connection, sql, ct);
        await Run(connection, $"COMMENT ON FUNCTION {Function}() IS 'cdc {Version}'", ct);
        await transaction.CommitAsync(ct);
    }

    private static async Task Run(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    private Task<bool> IsKeptAsync(NpgsqlConnection connection, CancellationToken ct) =>
        connection
            .Statement(
                """
                SELECT coalesce(obj_description(to_regprocedure($1 || '()'), 'pg_proc') = $2, false)
                    AND to_regclass($3) IS NOT NULL
                    AND (SELECT count(*) = 4 FROM pg_trigger WHERE tgrelid = to_regclass($4) AND tgname LIKE $5 AND tgenabled = 'A')
                """,
                Function,
                $"cdc {Version}",
                _aggregate.Name,
                _entity.EngineName,
                $"{Stem.Replace("_", "\\_", StringComparison.Ordinal)}\\_%"
            )
            .ScalarAsync<bool>(ct);
}
